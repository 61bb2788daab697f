/** Tablespaces belong to the whole server: those of the source may not be at the target. */
import type { PartsWarning } from './restore-tables.ts';
import type { SqlSession } from './sql-session.ts';

/** Whether a tablespace that relations (all of the database when none are given) lie in is missing there. */
export async function tablespacesMissing(
  copy: SqlSession,
  target: SqlSession,
  oids: readonly number[] | undefined,
): Promise<{ readonly missing: boolean; readonly warnings: PartsWarning[] }> {
  const used = await copy.rows<{ name: string }>(
    `SELECT DISTINCT s.spcname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
    WHERE c.oid >= 16384 AND s.spcname <> 'pg_global'
      AND ($1::oid[] IS NULL OR c.oid = ANY ($1::oid[])
        OR c.oid IN (SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = ANY ($1::oid[])))`,
    [oids ?? null],
  );
  const there = await target.rows<{ name: string }>(
    'SELECT spcname AS name FROM pg_catalog.pg_tablespace WHERE spcname = ANY ($1)',
    [used.map(({ name }) => name)],
  );
  const lacking = used.filter(({ name }) => !there.some((one) => one.name === name));
  return {
    missing: lacking.length > 0,
    warnings: lacking.map(({ name }) => ({
      code: 'postgres.tablespaceMissing',
      message: `there is no tablespace ${name}: everything is in the default tablespace of the database`,
    })),
  };
}
