import { CatenaError } from '@catena/events';
import type { ClientBase } from 'pg';
import type { QueryRunner } from 'typeorm';
import { patientDataSource, type ConnectionOptions } from '../connection/data-source.ts';
import { lock, tryLock, unlock } from '../migrations/advisory-locks.ts';
import { migrate, migrations } from '../migrations/migrate.ts';
import { rollBack } from '../projection/commit-batch.ts';
import { READ_MODEL_VERSION } from '../projectors/read-models.ts';
import { liveGeneration, schemaName } from './generation.ts';
import { beginGeneration, dropLeftovers, makeLive } from './make-generation.ts';

/**
 * Brings a database to where this build can use it: schema `catena`, migrations, a live copy (empty in a new database),
 * and no leftovers of rebuilds that crashed. Any number of processes may do so at once.
 */
export async function prepareDatabase(connection: ConnectionOptions): Promise<void> {
  const dataSource = await patientDataSource(connection).initialize();
  try {
    const runner = dataSource.createQueryRunner();
    const client = (await runner.connect()) as ClientBase;
    await checkServer(runner);
    await lock(client, 'migrate');
    await makeSchema(runner);
    await migrate(connection, 'catena', migrations.control);
    const live = await liveGeneration(runner);
    if (live === undefined) await lock(client, 'rebuild');
    else if (!(await tryLock(client, 'rebuild'))) return;
    await dropLeftovers(runner);
    if (live === undefined) await makeFirst(connection, runner);
    else if (live.readModelVersion === READ_MODEL_VERSION) {
      await migrate(connection, schemaName(live.number), migrations.whole);
    }
    await unlock(client, 'rebuild');
  } finally {
    // Ends the session, and with it the locks.
    await dataSource.destroy();
  }
}

/** Ranges of ranges, which the history views are made of, came with version 14. */
const OLDEST_SERVER = 140_000;

async function checkServer(runner: QueryRunner): Promise<void> {
  const [server] = (await runner.query(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as name`,
  )) as { number: number; name: string }[];
  if (server !== undefined && server.number >= OLDEST_SERVER) return;
  throw new CatenaError(
    'read-store.server-too-old',
    `PostgreSQL ${server?.name} is too old for the catalog.`,
    {
      remedy: 'Use PostgreSQL 14 or newer.',
    },
  );
}

async function makeSchema(runner: QueryRunner): Promise<void> {
  try {
    await runner.query('create schema if not exists catena');
  } catch (error) {
    if ((error as { code?: unknown }).code !== NOT_PERMITTED) throw error;
    const [login] = (await runner.query('select current_user as role, current_database() as database')) as {
      role: string;
      database: string;
    }[];
    throw new CatenaError(
      'read-store.not-permitted',
      `The role "${login?.role}" may not make schemas in the database "${login?.database}".`,
      { remedy: `grant create on database "${login?.database}" to "${login?.role}";`, cause: error },
    );
  }
}

const NOT_PERMITTED = '42501';

async function makeFirst(connection: ConnectionOptions, runner: QueryRunner): Promise<void> {
  const number = await beginGeneration(runner);
  await migrate(connection, schemaName(number), migrations.whole);
  await runner.query('begin');
  try {
    await makeLive(runner, number);
    await runner.query('commit');
  } catch (error) {
    await rollBack(runner);
    throw error;
  }
}
