/** What chosen things build upon that is not among them, and which of it the target lacks. */
import type { Skippable } from '@catena/events';
import type { SqlSession } from './sql-session.ts';

/** Objects below this belong to PostgreSQL itself and are everywhere (`FirstNormalObjectId`). */
const FIRST_OF_USERS = 16_384;

/** Something chosen that needs something else. */
export interface Need {
  /** The thing needed, e.g. `type public.mood`. */
  readonly what: string;
  /** What needs it, e.g. `column mood of table public.people`. */
  readonly by: string;
  /** The extension that has it, if one does. */
  readonly extension: string | null;
  /** With which option the restore does without; null: it cannot. */
  readonly skip: Skippable | null;
  /** What has to be done to the copy for that. */
  readonly undo: string | null;
  /** The view that is left out for that. */
  readonly view: number | null;
  /** How the target is asked for it. */
  readonly address: { readonly type: string; readonly names: string[]; readonly args: string[] };
}

/** The chosen relations and all that comes and goes with them: columns' defaults, indexes, constraints, triggers, types. */
export const CLOSURE = `
  WITH RECURSIVE mine(classid, objid) AS (
    SELECT 'pg_catalog.pg_class'::regclass::oid, oid FROM pg_catalog.unnest($1::oid[]) AS oid
    UNION
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN mine m ON d.refclassid = m.classid AND d.refobjid = m.objid
    WHERE d.deptype IN ('a', 'i', 'P', 'S') AND d.classid <> 'pg_catalog.pg_publication_rel'::regclass
  )`;

/** Everything needed, whether the target has it or not; what triggers of the server itself need is not counted. */
export function listNeeds(copy: SqlSession, oids: readonly number[]): Promise<Need[]> {
  return copy.rows<Need>(
    `${CLOSURE}
    SELECT DISTINCT ON (what, by)
      pg_catalog.pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) AS what,
      pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) AS by,
      (SELECT e.extname FROM pg_catalog.pg_depend x JOIN pg_catalog.pg_extension e ON e.oid = x.refobjid
        WHERE x.classid = d.refclassid AND x.objid = d.refobjid AND x.deptype = 'e' LIMIT 1) AS extension,
      CASE
        WHEN k.contype = 'f' THEN 'foreignKeys'
        WHEN a.oid IS NOT NULL AND s.relkind = 'S' THEN 'sequences'
        WHEN d.refclassid = 'pg_catalog.pg_proc'::regclass
          AND (t.oid IS NOT NULL OR a.oid IS NOT NULL AND p.attgenerated = '') THEN 'functions'
        WHEN v.oid IS NOT NULL THEN 'views'
      END AS skip,
      CASE
        WHEN k.contype = 'f' THEN pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', k.conrelid::regclass, k.conname)
        WHEN a.oid IS NOT NULL THEN pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', a.adrelid::regclass, p.attname)
        WHEN t.oid IS NOT NULL THEN pg_catalog.format('DROP TRIGGER IF EXISTS %I ON %s', t.tgname, t.tgrelid::regclass)
      END AS undo,
      v.oid::int8::float8 AS view,
      pg_catalog.json_build_object('type', i.type, 'names', i.object_names, 'args', i.object_args) AS address
    FROM mine m
    JOIN pg_catalog.pg_depend d ON d.classid = m.classid AND d.objid = m.objid
    LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_catalog.pg_attrdef a ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND a.oid = d.objid
    LEFT JOIN pg_catalog.pg_attribute p ON p.attrelid = a.adrelid AND p.attnum = a.adnum
    LEFT JOIN pg_catalog.pg_trigger t ON d.classid = 'pg_catalog.pg_trigger'::regclass AND t.oid = d.objid
    LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
    LEFT JOIN pg_catalog.pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
    LEFT JOIN pg_catalog.pg_class s ON d.refclassid = 'pg_catalog.pg_class'::regclass AND s.oid = d.refobjid
    CROSS JOIN LATERAL pg_catalog.pg_identify_object_as_address(d.refclassid, d.refobjid, d.refobjsubid) i
    WHERE d.refobjid >= ${FIRST_OF_USERS} AND d.deptype IN ('n', 'a', 'i')
      AND NOT EXISTS (SELECT FROM mine o WHERE o.classid = d.refclassid AND o.objid = d.refobjid)
      AND t.tgisinternal IS NOT TRUE
      -- A foreign key asks for columns; which index makes them unique is the target's affair.
      AND (s.relkind IS NULL OR s.relkind NOT IN ('i', 'I', 't'))
      AND d.refclassid <> 'pg_catalog.pg_constraint'::regclass
    ORDER BY what, by`,
    [oids],
  );
}

/** Those that the target does not have; what is in one of the new schemas is not looked for. */
export async function missingAt(
  target: SqlSession,
  needs: readonly Need[],
  newSchemas: ReadonlySet<string>,
): Promise<Need[]> {
  const known = new Map<string, boolean>();
  const missing: Need[] = [];
  for (const need of needs) {
    const { type, names, args } = need.address;
    if (type === 'schema' && newSchemas.has(names[0] ?? '')) continue;
    let isThere = known.get(need.what);
    if (isThere === undefined) known.set(need.what, (isThere = await has(target, type, names, args)));
    if (!isThere) missing.push(need);
  }
  return missing;
}

/** SQLSTATE classes and codes that mean "there is no such thing"; also a schema or a type within its name. */
const NO_SUCH = new Set(['42704', '42P01', '42883', '3F000', '42703', '42809']);

async function has(target: SqlSession, type: string, names: string[], args: string[]): Promise<boolean> {
  try {
    await target.rows('SELECT pg_catalog.pg_get_object_address($1, $2, $3)', [type, names, args]);
    return true;
  } catch (error) {
    if (NO_SUCH.has((error as { code?: string }).code ?? '')) return false;
    throw error;
  }
}
