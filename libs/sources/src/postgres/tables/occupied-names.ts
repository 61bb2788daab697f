/** Names at the target that restored things are to have. */
import { RestoreError } from '../../port/restore-error.ts';
import { CLOSURE } from './needs.ts';
import { kindName, nameOf, shownName, type Relation, type RelationKind } from './relations.ts';
import { quoted, type SqlSession } from './sql-session.ts';

/** A name that a restored relation, an index among them, will have. */
export interface FutureName {
  readonly schema: string;
  readonly name: string;
}

/** What is there already under such a name. */
interface Occupant extends FutureName {
  readonly oid: number;
  readonly kind: string;
}

/** All names that come with relations of the copy, with those of indexes and sequences. */
export function namesThatCome(copy: SqlSession, chosen: readonly Relation[]): Promise<FutureName[]> {
  return copy.rows<FutureName>(
    `${CLOSURE}
    SELECT n.nspname AS schema, c.relname AS name FROM mine
    JOIN pg_catalog.pg_class c ON mine.classid = 'pg_catalog.pg_class'::regclass AND c.oid = mine.objid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind <> 't' AND n.nspname <> 'pg_toast'`,
    [chosen.map(({ oid }) => oid)],
  );
}

export function occupantsOf(target: SqlSession, names: readonly FutureName[]): Promise<Occupant[]> {
  return target.rows<Occupant>(
    `SELECT c.oid::int8::float8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w(schema, name) ON w.schema = n.nspname AND w.name = c.relname
    ORDER BY 2, 3`,
    [names.map(({ schema }) => schema), names.map(({ name }) => name)],
  );
}

/** Throws `restore.targetExists` when anything has one of the names. */
export async function refuseOccupied(
  target: SqlSession,
  names: readonly FutureName[],
  where: string,
): Promise<void> {
  const occupants = await occupantsOf(target, names);
  if (occupants.length > 0)
    throw inTheWay(
      occupants,
      where,
      'Replace them with --replace, or put what is restored beside them with --to-schema.',
    );
}

function inTheWay(occupants: readonly Occupant[], where: string, remedy: string): RestoreError {
  const names = occupants.map(
    ({ kind, ...name }) => `${isKind(kind) ? kindName(kind) : 'index'} ${shownName(name)}`,
  );
  return new RestoreError('restore.targetExists', `In ${where} there is ${names.join(', ')} already.`, {
    remedy,
    details: { names },
  });
}

function isKind(kind: string): kind is RelationKind {
  return 'rpfvmS'.includes(kind);
}

/** What stands where restored things will, and what has to be done so that they can. */
export interface Replacement {
  /** To be run before the new ones get their names. */
  readonly takeAway: readonly string[];
  /** To be run when they have them: foreign keys of others that point to them. */
  readonly putBack: readonly string[];
  readonly warnings: readonly string[];
}

interface Dependant {
  readonly what: string;
  readonly isForeignKey: boolean;
  readonly takeAway: string | null;
  readonly putBack: string | null;
  readonly of: string;
}

/**
 * Plans how relations that are there give way. Foreign keys of other tables are taken off and put back; anything else
 * that depends on them would be lost, and is a refusal by name.
 */
export async function planReplacement(
  target: SqlSession,
  chosen: readonly Relation[],
  names: readonly FutureName[],
  where: string,
): Promise<Replacement> {
  const top = chosen.filter(({ ownedBy }) => ownedBy === null);
  const occupants = await occupantsOf(target, top);
  const wrong = occupants.filter(({ schema, name, kind }) =>
    top.some((one) => one.schema === schema && one.name === name && !isSameSort(one.kind, kind)),
  );
  if (wrong.length > 0)
    throw inTheWay(wrong, where, 'They are of another kind: drop or rename them, or use --to-schema.');
  const oids = occupants.map(({ oid }) => oid);
  const going = await target.rows<FutureName>(
    `${CLOSURE} SELECT n.nspname AS schema, c.relname AS name FROM mine
    JOIN pg_catalog.pg_class c ON mine.classid = 'pg_catalog.pg_class'::regclass AND c.oid = mine.objid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`,
    [oids],
  );
  const gone = new Set(going.map(nameOf));
  const others = (await occupantsOf(target, names)).filter((one) => !gone.has(nameOf(one)));
  if (others.length > 0)
    throw inTheWay(others, where, 'They belong to something else: rename them, or use --to-schema.');
  const dependants = await dependantsOn(target, oids);
  const lost = dependants.filter(({ isForeignKey }) => !isForeignKey);
  if (lost.length > 0) {
    throw new RestoreError(
      'restore.dependants',
      `In ${where} something depends on what would be replaced, and would be lost: ${lost.map(({ what, of }) => `${what} on ${of}`).join(', ')}.`,
      {
        remedy:
          'Keep its definition, drop it, and create it again afterwards; or restore beside it with --to-schema.',
        details: { dependants: lost.map(({ what }) => what) },
      },
    );
  }
  return {
    takeAway: [...dependants.flatMap(({ takeAway }) => takeAway ?? []), ...dropping(occupants)],
    putBack: dependants.flatMap(({ putBack }) => putBack ?? []),
    warnings: await publicationsOf(target, oids),
  };
}

function isSameSort(wanted: RelationKind, there: string): boolean {
  const sort = (kind: string) => (kind === 'p' ? 'r' : kind);
  return sort(wanted) === sort(there);
}

/**
 * Views first, the newest before those that it may read; then the rest, each kind at once, because tables point to each
 * other. Nothing cascades: what has come to depend on them meanwhile ends the restore.
 */
function dropping(occupants: readonly Occupant[]): string[] {
  const views = occupants.filter(({ kind }) => kind === 'v' || kind === 'm').sort((a, b) => b.oid - a.oid);
  const together = (sqlKind: string, kinds: string) => {
    const names = occupants.filter(({ kind }) => kinds.includes(kind)).map(nameOf);
    return names.length === 0 ? [] : [`DROP ${sqlKind} ${names.join(', ')}`];
  };
  return [
    ...views.map((one) => `DROP ${one.kind === 'm' ? 'MATERIALIZED ' : ''}VIEW ${nameOf(one)}`),
    ...together('FOREIGN TABLE', 'f'),
    ...together('TABLE', 'rp'),
    ...together('SEQUENCE', 'S'),
  ];
}

function dependantsOn(target: SqlSession, oids: readonly number[]): Promise<Dependant[]> {
  return target.rows<Dependant>(
    `${CLOSURE}
    SELECT DISTINCT ON (what)
      CASE WHEN v.oid IS NULL THEN pg_catalog.pg_describe_object(d.classid, d.objid, 0)
        ELSE pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, v.oid, 0) END AS what,
      k.contype IS NOT DISTINCT FROM 'f' AS "isForeignKey",
      CASE WHEN k.contype = 'f' AND k.conparentid = 0 THEN
        pg_catalog.format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname) END AS "takeAway",
      CASE WHEN k.contype = 'f' AND k.conparentid = 0 THEN
        pg_catalog.format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname,
          pg_catalog.pg_get_constraintdef(k.oid)) END AS "putBack",
      pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0) AS of
    FROM mine m
    JOIN pg_catalog.pg_depend d ON d.refclassid = m.classid AND d.refobjid = m.objid AND d.deptype IN ('n', 'e')
    LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_catalog.pg_class c ON c.oid = k.conrelid LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
    LEFT JOIN pg_catalog.pg_class v ON v.oid = w.ev_class
    WHERE NOT EXISTS (SELECT FROM mine o WHERE o.classid = d.classid AND o.objid = d.objid)
    ORDER BY what`,
    [oids],
  );
}

async function publicationsOf(target: SqlSession, oids: readonly number[]): Promise<string[]> {
  const found = await target.rows<{ publication: string; table: string }>(
    `SELECT p.pubname AS publication, r.prrelid::regclass::text AS table
    FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
    WHERE r.prrelid = ANY ($1::oid[]) ORDER BY 1, 2`,
    [oids],
  );
  return found.map(
    ({ publication, table }) =>
      `${table} was in the publication ${publication} and is no longer: ALTER PUBLICATION ${quoted(publication)} ADD TABLE ${table}`,
  );
}
