/** The database that a whole one is restored into: made for it under a name of its own, or there and empty. */
import type { DatabaseAddress } from '@catena/events';
import { RestoreError } from '../../port/restore-error.ts';
import { claimDatabase, unclaimed } from './abandoned-databases.ts';
import { literal, quoted, type SqlSession } from './sql-session.ts';
import { stagedName } from './staged-name.ts';
import { NO_SUCH_DATABASE, openTarget, shownTarget, targetFailure } from './target-server.ts';

/** Databases that a server has whatever else it has: one is needed to make another. */
const MAINTENANCE = ['postgres', 'template1'];

export interface TargetDatabase {
  readonly session: SqlSession;
  /** It gets its name: it is complete. */
  publish(): Promise<void>;
  /** What was made is dropped again. */
  discard(): Promise<void>;
}

/** Whether there is a database of that name; the server is reached in any case. */
export async function databaseExists(address: DatabaseAddress, signal?: AbortSignal): Promise<boolean> {
  try {
    using session = await openTarget(address, signal);
    await refuseFilled(session, address);
    return true;
  } catch (error) {
    if (!isUnknownDatabase(error)) throw error;
    using maintenance = await openMaintenance(address, signal);
    await refuseUnprivileged(maintenance, address);
    return false;
  }
}

/** Opens the database; makes it when there is none, like the one in the copy. */
export async function targetDatabase(
  address: DatabaseAddress,
  copy: SqlSession,
  run: string,
  signal?: AbortSignal,
): Promise<TargetDatabase> {
  if (await databaseExists(address, signal)) {
    const session = await openTarget(address, signal);
    const close = async () => session.close();
    return { session, publish: close, discard: close };
  }
  const staged = stagedName(address.database, run);
  const asMaintenance = async (doing: string, work: (session: SqlSession) => Promise<void>) => {
    using maintenance = await openMaintenance(address);
    await told(doing, () => work(maintenance));
  };
  const told = async (doing: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      throw targetFailure(error, doing, address);
    }
  };
  // An earlier attempt whose mover was killed may still seem to work in it, and so may we.
  const drop = () =>
    asMaintenance('dropping what was made', (maintenance) => dropWhenFree(maintenance, staged));
  const likeIt = await creationOptions(copy);
  await drop();
  // It lives as long as this restore: by it others know that the database is not abandoned.
  const keeper = await openMaintenance(address, signal);
  const discard = async () => {
    await drop();
    keeper.close();
  };
  try {
    await told(`a new database (CREATE DATABASE ${likeIt})`, () =>
      keeper.run(`CREATE DATABASE ${quoted(staged)} ${likeIt}`),
    );
  } catch (error) {
    keeper.close();
    throw error;
  }
  try {
    await told('the comment on a new database', () => claimDatabase(keeper, staged, run));
    const session = await openTarget(address, signal, staged);
    const { user } = await session.row<{ user: string }>('SELECT current_user AS user');
    await session.run(
      `REVOKE CONNECT ON DATABASE ${quoted(staged)} FROM PUBLIC; GRANT CONNECT ON DATABASE ${quoted(staged)} TO ${quoted(user)}`,
    );
    return {
      session,
      publish: async () => {
        await session.run(`GRANT CONNECT ON DATABASE ${quoted(staged)} TO PUBLIC`);
        session.close();
        await asMaintenance('the name of the new database', (maintenance) =>
          renamed(maintenance, staged, address.database),
        );
        keeper.close();
      },
      discard: async () => {
        session.close();
        await discard();
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

const FREE_TRIES = 100;

/** The server needs a moment to notice that we have left. */
async function whenFree(maintenance: SqlSession, statement: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await maintenance.run(statement);
    } catch (error) {
      if ((error as { code?: string }).code !== '55006' || tries === FREE_TRIES) throw error;
      await maintenance.run('SELECT pg_catalog.pg_sleep(0.1)');
    }
  }
}

function renamed(maintenance: SqlSession, staged: string, name: string): Promise<void> {
  const rename = `ALTER DATABASE ${quoted(staged)} RENAME TO ${quoted(name)}`;
  return whenFree(maintenance, `${unclaimed(staged)}; ${rename}`);
}

function dropWhenFree(maintenance: SqlSession, staged: string): Promise<void> {
  return whenFree(maintenance, `DROP DATABASE IF EXISTS ${quoted(staged)}`);
}

/** A session in a database that every server has. */
export async function openMaintenance(address: DatabaseAddress, signal?: AbortSignal): Promise<SqlSession> {
  let last: unknown;
  for (const database of MAINTENANCE) {
    try {
      return await openTarget(address, signal, database);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function isUnknownDatabase(error: unknown): boolean {
  return error instanceof RestoreError && error.details?.['sqlState'] === NO_SUCH_DATABASE;
}

async function refuseUnprivileged(session: SqlSession, address: DatabaseAddress): Promise<void> {
  const { may } = await session.row<{ may: boolean }>(
    'SELECT rolcreatedb OR rolsuper AS may FROM pg_catalog.pg_roles WHERE rolname = current_user',
  );
  if (may) return;
  throw new RestoreError(
    'restore.targetRefused',
    `There is no database ${address.database}, and ${address.user} may not make one.`,
    {
      remedy: 'Make an empty one, or restore as a role with CREATEDB.',
      details: { target: shownTarget(address) },
    },
  );
}

/** Everything that a new database does not have. */
async function refuseFilled(session: SqlSession, address: DatabaseAddress): Promise<void> {
  const found = await session.rows<{ what: string }>(
    `SELECT pg_catalog.pg_describe_object(classid, objid, 0) AS what FROM (
      SELECT 'pg_catalog.pg_class'::regclass AS classid, oid AS objid, relnamespace AS schema FROM pg_catalog.pg_class WHERE relkind <> 'i' AND relkind <> 'I'
      UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, oid, pronamespace FROM pg_catalog.pg_proc
      UNION ALL SELECT 'pg_catalog.pg_type'::regclass, oid, typnamespace FROM pg_catalog.pg_type WHERE typrelid = 0 AND typelem = 0
    ) AS thing JOIN pg_catalog.pg_namespace n ON n.oid = thing.schema
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = thing.classid AND d.objid = thing.objid AND d.deptype = 'e')
    UNION ALL SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace
      WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    LIMIT 5`,
  );
  if (found.length === 0) return;
  throw new RestoreError(
    'restore.targetExists',
    `The database ${address.database} is not empty: it has ${found.map(({ what }) => what).join(', ')}.`,
    {
      remedy: 'Name a database that does not exist or is empty, or restore single tables with --table.',
      details: { target: shownTarget(address) },
    },
  );
}

interface Locale {
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  readonly provider: string;
  readonly locale: string | null;
  readonly rules: string | null;
}

async function creationOptions(copy: SqlSession): Promise<string> {
  const major = copy.majorVersion;
  const locale = major >= 17 ? 'datlocale' : major >= 15 ? 'daticulocale' : 'NULL';
  const one = await copy.row<Locale>(
    `SELECT pg_catalog.pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
      ${major >= 15 ? 'datlocprovider' : `'c'`} AS provider, ${locale} AS locale, ${major >= 16 ? 'daticurules' : 'NULL'} AS rules
    FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`,
  );
  const providers: Readonly<Record<string, string>> = { i: 'icu', b: 'builtin' };
  const provider = providers[one.provider];
  return [
    `TEMPLATE template0 ENCODING ${literal(one.encoding)} LC_COLLATE ${literal(one.collate)} LC_CTYPE ${literal(one.ctype)}`,
    ...(provider === undefined || one.locale === null
      ? []
      : [
          `LOCALE_PROVIDER ${provider} ${provider === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE'} ${literal(one.locale)}`,
        ]),
    ...(one.rules === null ? [] : [`ICU_RULES ${literal(one.rules)}`]),
  ].join(' ');
}
