/** What has to be moved besides definitions: rows, where sequences are, and what is computed from rows. */
import type { FutureName } from './occupied-names.ts';
import { nameOf, type Relation } from './relations.ts';
import { quoted, type SqlSession } from './sql-session.ts';

/** Since this version binary arrays and rows may carry the ids that their types had elsewhere. */
const BINARY_SINCE = 14;
const FIRST_OF_USERS = 16_384;

interface Column {
  readonly name: string;
  /** Whether its type has a binary form, and one that means the same on another server. */
  readonly isBinary: boolean;
  readonly isOfUser: boolean;
}

export interface CopyStatements {
  readonly read: string;
  readonly write: string;
}

/** How the rows of a table are read and written; its generated columns are computed by the target. */
export async function copyStatements(
  copy: SqlSession,
  target: SqlSession,
  table: Relation,
  condition?: string,
): Promise<CopyStatements> {
  const columns = await copy.rows<Column>(
    `SELECT a.attname AS name, t.typsend <> 0 AND t.typreceive <> 0 AS "isBinary", t.oid >= ${FIRST_OF_USERS} AS "isOfUser"
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum`,
    [table.oid],
  );
  const carriesIds = copy.majorVersion >= BINARY_SINCE && target.majorVersion >= BINARY_SINCE;
  const isBinary = columns.every((one) => one.isBinary && (carriesIds || !one.isOfUser));
  const list = columns.map(({ name }) => quoted(name)).join(', ');
  const what =
    condition === undefined
      ? `${nameOf(table)} (${list})`
      : `(SELECT ${list} FROM ${nameOf(table)} ${condition})`;
  const format = isBinary ? '(FORMAT binary)' : '(FORMAT text)';
  return {
    read: `COPY ${what} TO STDOUT ${format}`,
    write: `COPY ${nameOf(table)} (${list}) FROM STDIN ${format}`,
  };
}

/** Sets a sequence to where it was. It may be some numbers further than the last one used, as after a crash. */
export async function setSequence(copy: SqlSession, target: SqlSession, sequence: FutureName): Promise<void> {
  const name = nameOf(sequence);
  const at = await copy.row<{ last: string; used: boolean }>(
    `SELECT last_value::text AS last, is_called AS used FROM ${name}`,
  );
  await target.rows('SELECT pg_catalog.setval($1::regclass, $2::int8, $3)', [name, at.last, at.used]);
}

/** Materialized views that were filled, in an order in which each finds what it reads. */
export async function filledViews(copy: SqlSession, chosen: readonly Relation[]): Promise<string[]> {
  const views = chosen.filter(({ kind }) => kind === 'm');
  const filled = await copy.rows<{ oid: number }>(
    'SELECT oid::int8::float8 AS oid FROM pg_catalog.pg_class WHERE oid = ANY ($1::oid[]) AND relispopulated',
    [views.map(({ oid }) => oid)],
  );
  const reads = await copy.rows<{ view: number; of: number }>(
    `SELECT DISTINCT w.ev_class::int8::float8 AS view, d.refobjid::int8::float8 AS of
    FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> w.ev_class`,
  );
  const wanted = new Set(filled.map(({ oid }) => oid));
  const ordered = new Set<number>();
  const visit = (oid: number, above: ReadonlySet<number>) => {
    if (ordered.has(oid) || above.has(oid)) return;
    for (const { view, of } of reads) if (view === oid) visit(of, new Set([...above, oid]));
    ordered.add(oid);
  };
  for (const { oid } of views) visit(oid, new Set());
  const byOid = new Map(views.map((view) => [view.oid, view]));
  return [...ordered].flatMap((oid) => {
    const view = wanted.has(oid) ? byOid.get(oid) : undefined;
    return view === undefined ? [] : [nameOf(view)];
  });
}

/** Extended statistics of tables: they belong to a schema, so `pg_dump` leaves them out when it dumps single tables. */
export async function statisticsOf(copy: SqlSession, oids: readonly number[]): Promise<FutureStatistics[]> {
  return await copy.rows<FutureStatistics>(
    `SELECT n.nspname AS schema, s.stxname AS name, pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition
    FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
    WHERE s.stxrelid = ANY ($1::oid[]) ORDER BY 1, 2`,
    [oids],
  );
}

export interface FutureStatistics extends FutureName {
  readonly definition: string;
}

/** Rows of an extension's tables that the extension itself does not make, as its `pg_extension_config_dump` says. */
export interface ExtensionRows {
  readonly table: Relation;
  readonly condition: string;
}

export function extensionRows(copy: SqlSession): Promise<ExtensionRows[]> {
  return copy.rows<ExtensionRows>(
    `SELECT pg_catalog.json_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
      'isUnlogged', false, 'partOf', null, 'ownedBy', null, 'bytes', 0) AS "table", x.condition
    FROM pg_catalog.pg_extension e
    CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition)) AS x(oid, condition)
    JOIN pg_catalog.pg_class c ON c.oid = x.oid AND c.relkind IN ('r', 'S') JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    ORDER BY c.oid`,
  );
}
