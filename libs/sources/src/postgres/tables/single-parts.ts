/** Parts of partitioned tables that are restored without the table they are a part of. */
import { nameOf, type Relation } from './relations.ts';
import type { SqlSession } from './sql-session.ts';

/** A part that is a table of its own in the copy from now on. */
export interface SinglePart {
  readonly part: Relation;
  /** The partitioned table, as SQL takes it. */
  readonly of: string;
  /** Which rows are its, e.g. `FOR VALUES FROM (0) TO (100)`. */
  readonly bound: string;
}

/**
 * A part is made by itself and attached in the end: the old part may have its rows until then, and a table that is
 * attached before it has its indexes is given others of the same names.
 */
export async function detachSingleParts(
  copy: SqlSession,
  all: readonly Relation[],
  chosen: readonly Relation[],
): Promise<SinglePart[]> {
  const isChosen = new Set(chosen.map(({ oid }) => oid));
  const parts: SinglePart[] = [];
  for (const part of chosen) {
    const parent =
      part.partOf === null || isChosen.has(part.partOf)
        ? undefined
        : all.find(({ oid }) => oid === part.partOf);
    if (parent === undefined) continue;
    const { bound } = await copy.row<{ bound: string }>(
      'SELECT pg_catalog.pg_get_expr(relpartbound, oid) AS bound FROM pg_catalog.pg_class WHERE oid = $1',
      [part.oid],
    );
    await copy.run(`ALTER TABLE ${nameOf(parent)} DETACH PARTITION ${nameOf(part)}`);
    parts.push({ part, of: nameOf(parent), bound });
  }
  return parts;
}

/** Makes a part, when it has its name, a part again. */
export function attaching({ part, of, bound }: SinglePart): string {
  return `ALTER TABLE ${of} ATTACH PARTITION ${nameOf(part)} ${bound}`;
}
