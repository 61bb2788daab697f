/**
 * Databases that were made under a name of their own until they are whole, and whose restore was given up when its mover was gone: nobody
 * comes back to them. What one is, and who works on it, is said in its comment; only what proves to be such a one is dropped.
 */
import { z } from 'zod';
import { literal, quoted, type SqlSession } from './sql-session.ts';
import { STAGED_NAME, stagedName } from './staged-name.ts';

const PREFIX = 'Catena restores a database under this name until it is whole: ';
/** Of a comment: the run, and the session at the server that lives as long as its restore. */
const owner = z.object({ run: z.string(), pid: z.int(), since: z.string() });
type Owner = z.infer<typeof owner>;

/** What became of those that were found. */
export interface DroppedDatabases {
  readonly dropped: readonly string[];
  readonly left: readonly { readonly name: string; readonly error: unknown }[];
}

/** Since then a server may end sessions that are idle. */
const ENDS_IDLE_SINCE = 14;
const STARTED = '(extract(epoch FROM backend_start) * 1000000)::bigint::text';

/**
 * Says in the comment of a database whose it is.
 * @param keeper stays open until the database has its final name, or is dropped
 */
export async function claimDatabase(keeper: SqlSession, name: string, run: string): Promise<void> {
  if (keeper.majorVersion >= ENDS_IDLE_SINCE) await keeper.run('SET idle_session_timeout = 0');
  const session = await keeper.row<Omit<Owner, 'run'>>(
    `SELECT pid, ${STARTED} AS since FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()`,
  );
  const comment = `${PREFIX}${JSON.stringify({ run, ...session })}`;
  await keeper.run(`COMMENT ON DATABASE ${quoted(name)} IS ${literal(comment)}`);
}

/** The statement that takes the comment away again. */
export function unclaimed(name: string): string {
  return `COMMENT ON DATABASE ${quoted(name)} IS NULL`;
}

/**
 * Drops those whose restore is over: whose session is gone. Those in which somebody works are left, and said.
 * @param run whose own are left to it
 */
export async function dropAbandoned(session: SqlSession, run: string): Promise<DroppedDatabases> {
  const dropped: string[] = [];
  const left: { name: string; error: unknown }[] = [];
  const found = await session.rows<{ name: string; comment: string }>(
    `SELECT datname AS name, pg_catalog.shobj_description(oid, 'pg_database') AS comment FROM pg_catalog.pg_database
    WHERE datname ~ $1 AND pg_catalog.pg_has_role(datdba, 'USAGE') AND datname <> pg_catalog.current_database()
      AND pg_catalog.shobj_description(oid, 'pg_database') IS NOT NULL ORDER BY 1`,
    [STAGED_NAME],
  );
  for (const { name, comment } of found) {
    const whose = ownerIn(comment);
    if (whose === undefined || whose.run === run || !isNameOf(name, whose.run)) continue;
    if (await isAlive(session, whose)) continue;
    try {
      await session.run(`DROP DATABASE ${quoted(name)}`);
      dropped.push(name);
    } catch (error) {
      left.push({ name, error });
    }
  }
  return { dropped, left };
}

function ownerIn(comment: string): Owner | undefined {
  if (!comment.startsWith(PREFIX)) return undefined;
  try {
    return owner.safeParse(JSON.parse(comment.slice(PREFIX.length))).data;
  } catch {
    return undefined;
  }
}

/** Whatever it was to be called. */
function isNameOf(name: string, run: string): boolean {
  return name.endsWith(stagedName('', run));
}

/** Of another role's session it is not said when it began: one of that number is taken for it. */
async function isAlive(session: SqlSession, { pid, since }: Owner): Promise<boolean> {
  const found = await session.rows(
    `SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND (backend_start IS NULL OR ${STARTED} = $2)`,
    [pid, since],
  );
  return found.length > 0;
}
