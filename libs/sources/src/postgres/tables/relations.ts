/** What a database holds, and what of it is wanted. */
import { RestoreError } from '../../port/restore-error.ts';
import { quoted, type SqlSession } from './sql-session.ts';
import { parseTablePattern } from './table-pattern.ts';

/** As `pg_class.relkind` has it. */
export type RelationKind = 'r' | 'p' | 'f' | 'v' | 'm' | 'S';

export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  /** Its rows are not in the log: a restored copy has none. */
  readonly isUnlogged: boolean;
  /** Of a partition: the table it is a part of. */
  readonly partOf: number | null;
  /** Of a sequence that belongs to a column: the table. */
  readonly ownedBy: number | null;
  readonly bytes: number;
}

const KIND_NAMES: Readonly<Record<RelationKind, string>> = {
  r: 'table',
  p: 'partitioned table',
  f: 'foreign table',
  v: 'view',
  m: 'materialized view',
  S: 'sequence',
};

export function kindName(kind: RelationKind): string {
  return KIND_NAMES[kind];
}

/** As SQL takes it. */
export function nameOf({ schema, name }: Pick<Relation, 'schema' | 'name'>): string {
  return quoted(schema, name);
}

/** As people read it. */
export function shownName({ schema, name }: Pick<Relation, 'schema' | 'name'>): string {
  return `${schema}.${name}`;
}

/** Everything with a name that users have made, but for what belongs to an extension. */
export function listRelations(session: SqlSession): Promise<Relation[]> {
  return session.rows<Relation>(`
    SELECT c.oid::int8::float8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
      c.relpersistence = 'u' AS "isUnlogged",
      (SELECT inhparent::int8::float8 FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid AND c.relispartition) AS "partOf",
      (SELECT refobjid::int8::float8 FROM pg_catalog.pg_depend
        WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid AND c.relkind = 'S'
          AND refclassid = 'pg_catalog.pg_class'::regclass AND deptype IN ('a', 'i') LIMIT 1) AS "ownedBy",
      CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) ELSE 0 END::float8 AS bytes
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
        WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid AND deptype = 'e')
    ORDER BY n.nspname, c.relname`);
}

/**
 * What the patterns mean, with the parts of partitioned tables and the sequences of columns.
 * @throws RestoreError `restore.tableUnknown` which names what there is.
 */
export function chooseRelations(
  all: readonly Relation[],
  patterns: readonly string[],
  where: string,
): Relation[] {
  const chosen = new Set<Relation>();
  for (const pattern of patterns) {
    const found = all.filter(parseTablePattern(pattern));
    if (found.length === 0) throw unknown(all, pattern, where);
    for (const one of found) chosen.add(one);
  }
  for (let before = -1; before < chosen.size;) {
    before = chosen.size;
    const oids = new Set<number | null>([...chosen].map(({ oid }) => oid));
    for (const one of all)
      if ((one.partOf !== null && oids.has(one.partOf)) || (one.ownedBy !== null && oids.has(one.ownedBy)))
        chosen.add(one);
  }
  return all.filter((one) => chosen.has(one));
}

const NAMES_SHOWN = 10;

function unknown(all: readonly Relation[], pattern: string, where: string): RestoreError {
  const last = pattern.replaceAll('"', '').split('.').at(-1)?.toLowerCase() ?? '';
  const alike = all.filter(({ name }) => last !== '' && name.toLowerCase().includes(last));
  const named = (alike.length > 0 ? alike : all.filter(({ kind }) => kind === 'r' || kind === 'p')).map(
    shownName,
  );
  const more = named.length > NAMES_SHOWN ? ` and ${named.length - NAMES_SHOWN} more` : '';
  return new RestoreError('restore.tableUnknown', `There is no '${pattern}' in ${where}, as it was then.`, {
    remedy:
      named.length === 0
        ? 'The database has no tables: name another with --database.'
        : `There is ${named.slice(0, NAMES_SHOWN).join(', ')}${more}.`,
    details: { pattern },
  });
}
