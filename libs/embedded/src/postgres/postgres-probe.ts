import pg from 'pg';

/**
 * Logs in and asks the server who it is. Resolves with its cluster name; rejects with what it answered instead.
 * `timeoutMs` bounds connecting and asking each.
 */
export async function askPostgres(
  url: string,
  timeoutMs = 4_000,
): Promise<{ clusterName: string; version: number }> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    application_name: 'catena-health',
  });
  // The server may end the connection at any moment, also after the answer; the query itself reports what matters.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const result = await client.query<{ cluster: string; version: number }>(
      "select current_setting('cluster_name') as cluster, current_setting('server_version_num')::int as version",
    );
    const row = result.rows[0];
    if (!row) throw new Error('the server answered nothing');
    return { clusterName: row.cluster, version: row.version };
  } finally {
    await client.end().catch(() => undefined);
  }
}
