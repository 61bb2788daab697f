import { createHash } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { readModels } from '../projectors/read-models.ts';

/** What all rows of a copy come to, whatever order they lie in. Equal digests: equal rows, contents and validity. */
export interface ReadModelDigest {
  /** Log sequence that the rows stand for. */
  readonly sequence: number;
  readonly digest: string;
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly digest: string }>>;
}

/** Of the copy that the search path names, within the caller's transaction. */
export async function digestOf(runner: QueryRunner, sequence: number): Promise<ReadModelDigest> {
  // The text of a row must not depend on the session that asks.
  await runner.query(`set local timezone = 'UTC'`);
  await runner.query(`set local datestyle = 'ISO'`);
  const tables: Record<string, { rows: number; digest: string }> = {};
  for (const name of [...readModels.map((model) => model.name), 'log_time']) {
    tables[name] = await digestOfTable(runner, name);
  }
  const whole = createHash('sha256')
    .update(JSON.stringify(Object.entries(tables)))
    .digest('hex');
  return { sequence, digest: whole, tables };
}

/** Sums of row hashes need no sorting, so a table of millions of rows is read once and nothing is spilled. */
async function digestOfTable(runner: QueryRunner, table: string): Promise<{ rows: number; digest: string }> {
  const [sums] = (await runner.query(
    `select count(*)::text as rows,
        coalesce(sum(('x' || substr(hash, 1, 16))::bit(64)::bigint::numeric), 0)::text as high,
        coalesce(sum(('x' || substr(hash, 17, 16))::bit(64)::bigint::numeric), 0)::text as low
      from (select md5(row::text) as hash from "${table}" as row) as hashes`,
  )) as { rows: string; high: string; low: string }[];
  const { rows = '0', high = '', low = '' } = sums ?? {};
  return {
    rows: Number(rows),
    digest: createHash('sha256').update(`${rows}:${high}:${low}`).digest('hex').slice(0, 32),
  };
}
