import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chainsOf } from '@catena/chain';
import pg from 'pg';
import type { ReadStore } from '../read-store.ts';
import { HistoryLog, plausibleHistory } from '../testing/index.ts';
import { StoreBench } from '../testing/store-bench.ts';
import { wholeList } from '../testing/whole-list.ts';

// Whatever else the machine does: a real server may be slow, never wrong.

let bench: StoreBench;
let store: ReadStore;
let client: pg.Client;
beforeAll(async () => {
  bench = await StoreBench.start();
  const url = await bench.postgres.createDatabase();
  const log = new HistoryLog();
  await log.take(plausibleHistory(41, 1_500));
  store = await bench.projecting(log, url);
  client = new pg.Client({ connectionString: url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await bench.end();
});

const document = readFileSync(path.join(import.meta.dirname, '../../../../docs/sql-views.md'), 'utf8');

/** Columns and types that the document names for a view. */
function documented(view: string): string[] {
  const section = document.split(`## catena.${view}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| (\w+) +\| ([\w[\]]+) +\|/gm)]
    .map(([, column, type]) => `${column} ${type}`)
    .filter((column) => column !== 'column type');
}

const TYPES: Readonly<Record<string, string>> = {
  'timestamp with time zone': 'timestamptz',
  ARRAY: 'text[]',
};

describe('the documented views', () => {
  it('have the columns that the document names, in its order', async () => {
    const { rows } = await client.query<{ view: string; name: string; type: string }>(
      `select table_name as view, column_name as name, data_type as type from information_schema.columns
        join information_schema.views using (table_schema, table_name)
        where table_schema = 'catena' order by table_name, ordinal_position`,
    );
    const byView = Map.groupBy(rows, ({ view }) => view);
    const current = [...byView.keys()].filter((view) => !view.endsWith('_history'));
    expect(current.length).toBe(10);
    for (const view of current) {
      const columns = byView.get(view)?.map(({ name, type }) => `${name} ${TYPES[type] ?? type}`);
      expect([view, columns]).toEqual([view, documented(view)]);
      if (view === 'status' || view === 'recovery_windows') continue;
      const history = byView.get(`${view}_history`)?.map(({ name }) => name) ?? [];
      expect(history.slice(-2)).toEqual(['valid_from', 'valid_to']);
    }
  });

  it('say what the queries say', async () => {
    const { queries } = store;
    const backups = await wholeList((page) => queries.listBackups(page));
    const runs = await wholeList((page) => queries.listRuns(page));
    const points = await wholeList((page) => queries.listRestorePoints(page));
    expect(await column('select run from catena.runs order by requested_sequence desc')).toEqual(
      runs.map(({ run }) => run),
    );
    expect(await column('select plan::text from catena.runs order by requested_sequence desc')).toEqual(
      runs.map(({ plan }) => (plan === undefined ? null : JSON.stringify(plan))),
    );
    expect(await column('select backup from catena.backups order by as_of desc, backup')).toEqual(
      backups.map(({ backup }) => backup),
    );
    expect(await column('select backup from catena.restore_points order by at desc, backup')).toEqual(
      points.map(({ backup }) => backup),
    );
    const { rows } = await client.query(
      `select chain, usable, newest, backups::int, bytes_added::float8 as "bytesAdded" from catena.chains order by chain`,
    );
    const chains = chainsOf(backups)
      .sort((a, b) => (a.chain < b.chain ? -1 : 1))
      .map((one) => {
        const { chain, usable, newest, bytesAdded } = one;
        return { chain, usable, newest, backups: one.backups.length, bytesAdded };
      });
    expect(rows).toEqual(chains);
  });

  it('tell how far the catalog is', async () => {
    const { rows } = await client.query('select * from catena.status');
    expect(rows).toEqual([{ generation: 'catena_1', sequence: '1500', stopped: null }]);
  });
});

async function column(text: string): Promise<unknown[]> {
  const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
  return rows.map(([value]) => value);
}
