/** How far the recovery of a restored copy came, as the server itself says. */
import type pg from 'pg';
import { parseLsn } from '../wire/lsn.ts';

export interface ReachedPlace {
  /** End of the last record that was applied. */
  readonly position: bigint;
  /** When the last transaction ended that was applied: ISO 8601 with microseconds. None: the log had no transaction. */
  readonly lastTransactionAt?: string;
  /** The timeline it goes on as. */
  readonly timeline: number;
  readonly inRecovery: boolean;
  /** E.g. `18.4`. */
  readonly serverVersion: string;
}

interface ReachedRow {
  readonly position: string | null;
  readonly at: string | null;
  readonly recovers: boolean;
  readonly segment: string | null;
  readonly version: string;
}

/** Both answers stay what they were when recovery ended, until the server is started again. */
const QUESTION = `
  SELECT pg_is_in_recovery() AS recovers, pg_last_wal_replay_lsn()::text AS position,
    to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
    CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_walfile_name(pg_current_wal_lsn()) END AS segment,
    current_setting('server_version') AS version`;

/** @param client connected to a server that has recovered since it was started, and not been started again */
export async function readReached(client: pg.Client): Promise<ReachedPlace> {
  const [row] = (await client.query<ReachedRow>(QUESTION)).rows;
  if (row?.position == null) throw new Error('The server has recovered nothing since it was started.');
  return {
    position: parseLsn(row.position),
    ...(row.at === null ? {} : { lastTransactionAt: row.at }),
    timeline: row.segment === null ? 0 : Number.parseInt(row.segment.slice(0, 8), 16),
    inRecovery: row.recovers,
    serverVersion: row.version.split(' ')[0] ?? row.version,
  };
}
