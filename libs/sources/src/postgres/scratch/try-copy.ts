/** Starts a restored copy once: it recovers, is looked at, and is stopped in order, ready to be started by whoever wants it. */
import type pg from 'pg';
import { RestoreError } from '../../port/restore-error.ts';
import { compareReached, type ExpectedEnd } from './expected-end.ts';
import type { ReachedPlace } from './reached-place.ts';
import { ScratchServer, type ScratchServerOptions } from './scratch-server.ts';

export interface TriedCopy extends ReachedPlace {
  /** Those that take connections; the catalog of each was read. */
  readonly databases: readonly string[];
}

/**
 * @throws RestoreError `restore.copyNotStarted`, `restore.reachedElsewhere`, or `restore.copyNotReadable`, which names the
 *   database.
 */
export async function tryCopy(options: ScratchServerOptions, expected: ExpectedEnd): Promise<TriedCopy> {
  await using server = await ScratchServer.start(options);
  const reached = await server.reached();
  compareReached(options.folder, expected, reached);
  const databases = await databasesOf(server);
  for (const name of databases) await readCatalog(server, name);
  return { ...reached, databases };
}

async function databasesOf(server: ScratchServer): Promise<string[]> {
  return await asked(server, 'postgres', async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT datname AS name FROM pg_database WHERE datallowconn ORDER BY oid',
    );
    return rows.map(({ name }) => name);
  });
}

/** Every table has a file, and every index can be opened: what a wrongly put together cluster fails at first. */
const CATALOG = `
  SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'i', 'm', 't', 'S')
    AND pg_relation_size(oid) IS NOT NULL AND pg_relation_filepath(oid) IS NOT NULL`;

async function readCatalog(server: ScratchServer, database: string): Promise<void> {
  try {
    await asked(server, database, (client) => client.query(CATALOG));
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new RestoreError(
      'restore.copyNotReadable',
      `The database '${database}' of the restored cluster cannot be read: ${said}.`,
      { remedy: 'Verify the backup, and restore from another one.', details: { database }, cause: error },
    );
  }
}

async function asked<T>(
  server: ScratchServer,
  database: string,
  ask: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await server.connect(database);
  try {
    return await ask(client);
  } finally {
    await client.end();
  }
}
