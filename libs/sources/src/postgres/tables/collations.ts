/** Texts sort by rules of the operating system, which change with its versions and are others elsewhere. */
import type { SqlSession } from './sql-session.ts';

interface DatabaseLocale {
  readonly collate: string;
  readonly encoding: string;
  readonly version: string | null;
}

/** What is different in how texts sort, said for people; indexes are built anew, so none is wrong for it. */
export async function collationWarnings(
  copy: SqlSession,
  target: SqlSession,
  oids: readonly number[] | undefined,
): Promise<string[]> {
  const then = await localeOf(copy, 'recorded');
  const now = await localeOf(target, 'actual');
  const warnings: string[] = [];
  if (then.collate !== now.collate)
    warnings.push(
      `texts were sorted by ${then.collate} and are now by ${now.collate}, the locale of the database`,
    );
  else if (then.version !== null && now.version !== null && then.version !== now.version)
    warnings.push(
      `the collation ${then.collate} was of version ${then.version} and is now of ${now.version}: texts may sort otherwise`,
    );
  for (const { name, version } of await collationsUsed(copy, oids)) {
    const [there] = await target.rows<{ version: string | null }>(
      'SELECT pg_catalog.pg_collation_actual_version(oid) AS version FROM pg_catalog.pg_collation WHERE oid = pg_catalog.to_regcollation($1)',
      [name],
    );
    if (there !== undefined && there.version !== null && there.version !== version)
      warnings.push(
        `the collation ${name} was of version ${version} and is now of ${there.version}: texts may sort otherwise`,
      );
  }
  return warnings;
}

/** The version of the rules a database was made with is noted in it since 15; before, the collation of that name tells. */
function localeOf(session: SqlSession, which: 'recorded' | 'actual'): Promise<DatabaseLocale> {
  const noted =
    which === 'recorded' ? 'd.datcollversion' : 'pg_catalog.pg_database_collation_actual_version(d.oid)';
  const before =
    which === 'recorded'
      ? 'SELECT max(c.collversion) FROM pg_catalog.pg_collation c WHERE c.collcollate = d.datcollate'
      : 'SELECT max(pg_catalog.pg_collation_actual_version(c.oid)) FROM pg_catalog.pg_collation c WHERE c.collcollate = d.datcollate';
  return session.row<DatabaseLocale>(
    `SELECT datcollate AS collate, pg_catalog.pg_encoding_to_char(encoding) AS encoding,
      ${session.majorVersion >= 15 ? noted : `(${before})`} AS version
    FROM pg_catalog.pg_database d WHERE datname = pg_catalog.current_database()`,
  );
}

function collationsUsed(
  copy: SqlSession,
  oids: readonly number[] | undefined,
): Promise<{ name: string; version: string }[]> {
  return copy.rows(
    `SELECT DISTINCT c.oid::regcollation::text AS name, c.collversion AS version
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
    JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
    WHERE c.collversion IS NOT NULL AND t.relkind IN ('r', 'p', 'm')
      AND CASE WHEN $1::oid[] IS NULL THEN t.oid >= 16384 ELSE t.oid = ANY ($1::oid[]) END ORDER BY 1`,
    [oids ?? null],
  );
}
