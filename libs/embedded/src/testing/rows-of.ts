import pg from 'pg';

/** Runs one query on a connection of its own and returns its rows. */
export async function rowsOf(url: string, query: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // A killed server also ends the connection outside of the query, which reports it by itself.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(query);
    return rows;
  } finally {
    await client.end();
  }
}
