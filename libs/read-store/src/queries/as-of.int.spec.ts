import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AnyRecordedEvent } from '@catena/events';
import pg from 'pg';
import type { ReadStore } from '../read-store.ts';
import { HistoryLog, plausibleHistory } from '../testing/index.ts';
import { PATIENCE, StoreBench } from '../testing/store-bench.ts';
import { wholeList } from '../testing/whole-list.ts';

// Whatever else the machine does: a real server may be slow, never wrong.

let bench: StoreBench;
beforeAll(async () => {
  bench = await StoreBench.start();
});
afterEach(() => bench.closeStores());
afterAll(() => bench.end());

/** Every answer there is. */
async function everything({ queries }: ReadStore, asOf?: string) {
  const at = asOf === undefined ? {} : { asOf };
  return {
    definitions: await wholeList((page) => queries.listDefinitions({ ...page, ...at })),
    schedules: await wholeList((page) => queries.listSchedules({ ...page, ...at })),
    runs: await wholeList((page) => queries.listRuns({ ...page, ...at })),
    backups: await wholeList((page) => queries.listBackups({ ...page, ...at })),
    chains: await wholeList((page) => queries.listChains({ ...page, ...at })),
    restorePoints: await wholeList((page) => queries.listRestorePoints({ ...page, ...at })),
    keys: await wholeList((page) => queries.listKeys({ ...page, ...at })),
  };
}

/** The largest sequence whose running maximum of log time is not after the instant, found the plain way. */
function sequenceAt(history: readonly AnyRecordedEvent[], instant: string): number {
  let newest = '';
  let sequence = 0;
  for (const event of history) {
    newest = event.recordedAt > newest ? event.recordedAt : newest;
    if (newest <= instant) sequence = event.sequence;
  }
  return sequence;
}

async function replayed(seed: number, events: number, url: string): Promise<ReadStore> {
  const log = new HistoryLog();
  await log.take(plausibleHistory(seed, events));
  return bench.projecting(log, url);
}

const EVENTS = 1_200;
const SEED = 21;
const CUTS = [0, 1, 40, 333, 700, 1_050, 1_199];

describe('as of a past time', () => {
  it('answers what replaying the log up to then gives', async () => {
    const history = [...plausibleHistory(SEED, EVENTS)];
    const log = new HistoryLog();
    await log.take(plausibleHistory(SEED, EVENTS));
    const store = await bench.projecting(log);
    expect(history.some((event, i) => event.recordedAt < (history[i - 1]?.recordedAt ?? ''))).toBe(true);
    for (const cut of CUTS) {
      // The clock of the log steps back now and then; its own time names one sequence all the same.
      const instant = history[cut]?.recordedAt ?? '';
      const sequence = sequenceAt(history, instant);
      const then = await replayed(SEED, sequence, await bench.postgres.createDatabase());
      expect((await store.queries.listRuns({ asOf: instant })).sequence).toBe(sequence);
      expect(await everything(store, instant)).toEqual(await everything(then));
      await then.close();
    }
  });

  it('knows nothing of a time before the log, and everything of one after it', async () => {
    const log = new HistoryLog();
    await log.take(plausibleHistory(SEED, 300));
    const store = await bench.projecting(log);
    expect(await store.queries.listDefinitions({ asOf: '2020-01-01T00:00:00Z' })).toEqual({
      items: [],
      sequence: 0,
    });
    expect(await everything(store, '2099-01-01T12:00:00.5+02:00')).toEqual(await everything(store));
  });

  it('refuses what is no time', async () => {
    const store = await bench.open();
    await expect(store.queries.listRuns({ asOf: 'yesterday' })).rejects.toMatchObject({
      code: 'read-store.not-an-instant',
    });
  });
});

describe('the history views', () => {
  it('hold at each sequence what the views showed then', async () => {
    const url = await bench.postgres.createDatabase();
    await replayed(SEED, EVENTS, url);
    const views = [
      'definitions',
      'schedules',
      'runs',
      'backups',
      'chains',
      'restore_points',
      'collections',
      'keys',
    ];
    for (const cut of [40, 333, 700, 1_050]) {
      const thenUrl = await bench.postgres.createDatabase();
      const then = await replayed(SEED, cut, thenUrl);
      for (const view of views) {
        const columns = await historyColumns(url, view);
        const visible = view === 'definitions' ? 'not deleted and' : '';
        const held = await rows(
          url,
          `select ${columns} from catena.${view}_history
            where ${visible} valid_from <= ${cut} and (valid_to is null or valid_to > ${cut})`,
        );
        expect([view, cut, held]).toEqual([
          view,
          cut,
          await rows(thenUrl, `select ${columns} from catena.${view}`),
        ]);
      }
      await then.close();
    }
  });
});

async function historyColumns(url: string, view: string): Promise<string> {
  const columns = await query<{ name: string }>(
    url,
    `select column_name as name from information_schema.columns
      where table_schema = 'catena' and table_name = '${view}_history' and column_name not like 'valid_%'`,
  );
  return columns.map(({ name }) => name).join(', ');
}

/** In an order of their own, so that two lists of the same rows are the same. */
async function rows(url: string, text: string): Promise<string[]> {
  const found = await query<Record<string, unknown>>(url, text);
  return found.map((row) => JSON.stringify(row)).sort();
}

async function query<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

it('waits for a sequence the answer must have seen', async () => {
  const log = new HistoryLog();
  const history = plausibleHistory(22, 60);
  const url = await bench.postgres.createDatabase();
  const asking = await bench.open(url);
  const answer = asking.queries.listDefinitions({ atLeast: 50 });
  const projecting = await bench.open(url);
  const runner = projecting.project(log);
  await log.take(history);
  await runner.waitFor(60, PATIENCE);
  expect((await answer).sequence).toBeGreaterThanOrEqual(50);
});
