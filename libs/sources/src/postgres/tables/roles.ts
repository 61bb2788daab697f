/** Who owns restored things and who may use them: roles belong to the whole server, so a backup's may not be at the target. */
import { CLOSURE } from './needs.ts';
import { literal, quoted, type SqlSession } from './sql-session.ts';

export interface RoleNeed {
  readonly role: string;
  /** Why, for people. */
  readonly why: 'owner' | 'privileges' | 'policy';
  /** What of it, e.g. `table public.accounts`. */
  readonly of: string;
}

export interface RoleWishes {
  readonly owners: boolean;
  readonly privileges: boolean;
}

/** Roles that chosen relations name (all of the database when none are given). */
export async function listRoles(
  copy: SqlSession,
  oids: readonly number[] | undefined,
  { owners, privileges }: RoleWishes,
): Promise<RoleNeed[]> {
  const mine =
    oids === undefined
      ? `WITH everything(oids) AS (SELECT $1::oid[]), mine(classid, objid) AS (
          SELECT DISTINCT classid, objid FROM pg_catalog.pg_shdepend
          WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
          UNION SELECT 'pg_catalog.pg_class'::regclass, oid FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind <> 't')`
      : CLOSURE;
  const all = await copy.rows<RoleNeed>(
    `${mine}
    SELECT DISTINCT ON (role, why, of) * FROM (
      SELECT r.rolname AS role,
        CASE d.deptype WHEN 'o' THEN 'owner' WHEN 'r' THEN 'policy' ELSE 'privileges' END AS why,
        pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) AS of
      FROM mine m
      JOIN pg_catalog.pg_shdepend d ON d.classid = m.classid AND d.objid = m.objid
        AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      JOIN pg_catalog.pg_roles r ON d.refclassid = 'pg_catalog.pg_authid'::regclass AND r.oid = d.refobjid
      WHERE d.deptype IN ('o', 'a', 'r')
      -- What the role owns that made the cluster is not noted as its.
      UNION ALL
      SELECT r.rolname, 'owner', pg_catalog.pg_describe_object(m.classid, m.objid, 0)
      FROM mine m JOIN pg_catalog.pg_class c ON m.classid = 'pg_catalog.pg_class'::regclass AND c.oid = m.objid
      JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
      WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    ) AS needed ORDER BY role, why, of`,
    [oids ?? []],
  );
  return all.filter(({ why }) => (why === 'owner' ? owners : why === 'policy' || privileges));
}

/** Those of them that the target's server does not have. */
export async function missingRoles(target: SqlSession, needs: readonly RoleNeed[]): Promise<RoleNeed[]> {
  const wanted = [...new Set(needs.map(({ role }) => role))];
  const there = await target.rows<{ role: string }>(
    'SELECT rolname AS role FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)',
    [wanted],
  );
  const known = new Set(there.map(({ role }) => role));
  return needs.filter(({ role }) => !known.has(role));
}

/**
 * Makes the copy one in which missing roles own nothing and may do nothing: who restores owns it instead.
 * @param me the role that restores, which is made in the copy when it is not there
 * @returns false when what the cluster's first role owns cannot be given away one by one
 */
export async function doWithoutRoles(
  copy: SqlSession,
  relations: readonly string[] | undefined,
  missing: readonly RoleNeed[],
  me: string,
): Promise<boolean> {
  const roles = [...new Set(missing.map(({ role }) => role))];
  await copy.run(
    `DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${literal(me)}) THEN CREATE ROLE ${quoted(me)}; END IF; END $do$`,
  );
  if (relations !== undefined) {
    const owners = new Set(missing.filter(({ why }) => why === 'owner').map(({ role }) => role));
    for (const name of relations) {
      const { owner } = await copy.row<{ owner: string }>(
        'SELECT pg_catalog.pg_get_userbyid(relowner) AS owner FROM pg_catalog.pg_class WHERE oid = $1::regclass',
        [name],
      );
      if (owners.has(owner)) await copy.run(`ALTER TABLE ${name} OWNER TO ${quoted(me)}`);
      for (const role of roles) await copy.run(`REVOKE ALL ON TABLE ${name} FROM ${quoted(role)} CASCADE`);
    }
    return true;
  }
  const { first } = await copy.row<{ first: string }>(
    'SELECT rolname AS first FROM pg_catalog.pg_roles WHERE oid = 10',
  );
  for (const role of roles) {
    if (role === first) continue;
    await copy.run(
      `REASSIGN OWNED BY ${quoted(role)} TO ${quoted(me)}; DROP OWNED BY ${quoted(role)} CASCADE`,
    );
  }
  return !roles.includes(first);
}
