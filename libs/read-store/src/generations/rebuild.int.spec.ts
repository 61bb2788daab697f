import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventBatch, FollowOptions } from '@catena/event-log';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { HistoryLog, plausibleHistory, SeededRandom } from '../testing/index.ts';
import { PATIENCE, StoreBench } from '../testing/store-bench.ts';
import { RebuildRunningError } from './rebuild.ts';

// Whatever else the machine does: a real server may be slow, never wrong.

let bench: StoreBench;
beforeAll(async () => {
  bench = await StoreBench.start({ settings: { synchronous_commit: 'on' } });
});
afterEach(() => bench.closeStores());
afterAll(() => bench.end());

async function sql<Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function schemas(url: string): Promise<string[]> {
  const rows = await sql<{ schema: string }>(
    url,
    `select nspname as schema from pg_namespace where nspname like 'catena%' order by nspname`,
  );
  return rows.map(({ schema }) => schema);
}

describe('rebuilding', () => {
  it.each([11, 12, 13])(
    'gives the rows that projecting gave, contents and validity (history %d)',
    async (seed) => {
      const log = new HistoryLog();
      const history = plausibleHistory(seed, 1_500);
      const store = await bench.open();
      const runner = store.project(log);
      for (let count = 1; (await log.lastSequence()) < 1_500; count = (count * 7) % 401) {
        await log.take(history, count);
        await runner.waitFor(await log.lastSequence(), PATIENCE);
      }
      const live = await store.digest();
      expect(live.tables['run']?.rows).toBeGreaterThan(100);
      const result = await store.rebuild(log);
      expect(result).toMatchObject({ events: 1_500, sequence: 1_500, generation: 'catena_2' });
      expect(await store.digest()).toEqual(live);
    },
  );

  it('notices a row that is not what the log says', async () => {
    const log = new HistoryLog();
    await log.take(plausibleHistory(14, 600));
    const url = await bench.postgres.createDatabase();
    const store = await bench.projecting(log, url);
    const live = await store.digest();
    await sql(
      url,
      `update catena_1.backup set bytes = bytes + 1 where backup = (select min(backup) from catena_1.backup)`,
    );
    expect(await store.verify(log)).toEqual({ sequence: 600, identical: false, differing: ['backup'] });
    expect(await schemas(url)).toEqual(['catena', 'catena_1']);
    await store.rebuild(log);
    expect(await store.digest()).toEqual(live);
    expect(await store.verify(log)).toEqual({ sequence: 600, identical: true, differing: [] });
  });

  it('gives the same rows with next to no memory, when every row is forgotten and read again', async () => {
    const log = new PausingLog();
    await log.take(plausibleHistory(19, 1_500));
    const store = await bench.projecting(log);
    const live = await store.digest();
    await store.rebuild(log, { keptRows: 2 });
    expect(await store.digest()).toEqual(live);
  });

  it('replaces the read models of an older build when it starts to project', async () => {
    const log = new HistoryLog();
    const history = plausibleHistory(20, 400);
    await log.take(history, 300);
    const url = await bench.postgres.createDatabase();
    const before = await bench.projecting(log, url);
    await before.close();
    await sql(url, `update catena.generation set read_model_version = 0`);
    const store = await bench.open(url);
    await expect(store.queries.listRuns({})).rejects.toMatchObject({ code: 'read-store.other-version' });
    const runner = store.project(log);
    await log.take(history);
    await runner.waitFor(400, PATIENCE);
    expect(await store.queries.state()).toMatchObject({
      generation: 'catena_2',
      sequence: 400,
      stopped: undefined,
    });
  });

  it('leaves the read models of a newer build alone', async () => {
    const log = new HistoryLog();
    await log.take(plausibleHistory(20, 100));
    const url = await bench.postgres.createDatabase();
    const store = await bench.open(url);
    await sql(url, `update catena.generation set read_model_version = 999`);
    const runner = store.project(log);
    while (runner.stale === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(runner.stale).toContain('newer build');
    expect(await sql(url, 'select position from catena.generation')).toEqual([{ position: '0' }]);
    await store.close();
  });

  it('keeps answering, never goes back, and other processes change over by themselves', async () => {
    const log = new HistoryLog();
    const history = plausibleHistory(15, 2_000);
    await log.take(history, 1_000);
    const url = await bench.postgres.createDatabase();
    const [one, other] = [await bench.projecting(log, url), await bench.projecting(log, url)];
    const asking = new AbortController();
    const seen: number[] = [];
    const questions = (async () => {
      while (!asking.signal.aborted) seen.push((await other.queries.listChains({ limit: 3 })).sequence);
    })();
    const appending = (async () => {
      while ((await log.lastSequence()) < 2_000) await log.take(history, 25);
    })();
    for (let i = 0; i < 2; i++) await one.rebuild(log);
    await appending;
    await other.queries.listRuns({ atLeast: 2_000, limit: 1 });
    asking.abort();
    await questions;
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(await other.queries.state()).toMatchObject({ generation: 'catena_3', sequence: 2_000 });
    expect(await schemas(url)).toEqual(['catena', 'catena_3']);
    const live = await other.digest();
    await one.rebuild(log);
    expect(await one.digest()).toEqual(live);
  });

  it('tells the second of two at once', async () => {
    const log = new PausingLog();
    await log.take(plausibleHistory(16, 500));
    const url = await bench.postgres.createDatabase();
    const [one, other] = [await bench.open(url), await bench.open(url)];
    const { reached, release } = log.pause();
    const first = one.rebuild(log);
    await reached;
    await expect(other.rebuild(log)).rejects.toThrow(RebuildRunningError);
    release();
    await expect(first).resolves.toMatchObject({ generation: 'catena_2' });
    await expect(other.rebuild(log)).resolves.toMatchObject({ generation: 'catena_3' });
  });

  it('harms nothing when it is cancelled', async () => {
    const log = new PausingLog();
    await log.take(plausibleHistory(17, 400));
    const url = await bench.postgres.createDatabase();
    const store = await bench.projecting(log, url);
    const live = await store.digest();
    const { reached, release } = log.pause();
    const cancelling = new AbortController();
    const rebuilding = store.rebuild(log, { signal: cancelling.signal });
    await reached;
    cancelling.abort(new Error('enough'));
    release();
    await expect(rebuilding).rejects.toThrow('enough');
    expect(await schemas(url)).toEqual(['catena', 'catena_1']);
    expect(await store.digest()).toEqual(live);
  });

  it('harms nothing when PostgreSQL is killed under it; the next start cleans up', async () => {
    const log = new PausingLog();
    await log.take(plausibleHistory(17, 400));
    const url = await bench.postgres.createDatabase();
    const store = await bench.projecting(log, url);
    const live = await store.digest();
    const { reached, release } = log.pause();
    const dying = store.rebuild(log);
    await reached;
    expect(await schemas(url)).toEqual(['catena', 'catena_1', 'catena_2']);
    await bench.postgres.kill9();
    release();
    await expect(dying).rejects.toMatchObject({ retryable: true });
    await bench.postgres.restart();
    expect(await schemas(url)).toContain('catena_2');
    expect(await store.digest()).toEqual(live);
    await bench.open(url);
    expect(await schemas(url)).toEqual(['catena', 'catena_1']);
    await expect(store.rebuild(log)).resolves.toMatchObject({ generation: 'catena_2' });
    expect(await store.digest()).toEqual(live);
  });

  it('harms nothing when its session ends at any moment', async () => {
    const log = new HistoryLog();
    await log.take(plausibleHistory(23, 1_000));
    const url = await bench.postgres.createDatabase();
    const store = await bench.projecting(log, url);
    const live = await store.digest();
    const random = new SeededRandom(23);
    for (let i = 0; i < 12; i++) {
      // It dies, or is done before; both are well.
      const rebuilding = Promise.allSettled([store.rebuild(log, { keptRows: 50 })]);
      await pause(random.between(0, 40) * i);
      const database = new URL(url).pathname.slice(1);
      await sql(
        bench.postgres.adminUrl,
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = '${database}' and application_name = 'catena rebuild'`,
      );
      await rebuilding;
      expect(await store.digest()).toEqual(live);
    }
    // A session that was ended holds what it had locked until it is gone, a little after it has said so.
    const sessions = `select 1 from pg_stat_activity where application_name = 'catena rebuild'`;
    while ((await sql(bench.postgres.adminUrl, sessions)).length > 0);
    const { generation } = await store.rebuild(log);
    expect(await schemas(url)).toEqual(['catena', generation]);
    expect(await store.digest()).toEqual(live);
  });

  it('keeps what people granted on the views and what they built on them', async () => {
    const log = new HistoryLog();
    await log.take(plausibleHistory(18, 300));
    const url = await bench.postgres.createDatabase();
    const store = await bench.projecting(log, url);
    await sql(
      url,
      `grant select on catena.runs to public; create view public.mine as select run, state from catena.runs`,
    );
    const before = await sql(url, 'select * from public.mine order by run');
    await store.rebuild(log);
    expect(await sql(url, 'select * from public.mine order by run')).toEqual(before);
    expect(
      await sql(url, `select has_table_privilege('public', 'catena.runs', 'select') as granted`),
    ).toEqual([{ granted: true }]);
  });

  it('follows the log also where that is shorter than what the live copy was made of', async () => {
    const [old, begunAgain] = [new HistoryLog(), new HistoryLog()];
    await old.take(plausibleHistory(24, 300));
    await begunAgain.take(plausibleHistory(25, 120));
    const url = await bench.postgres.createDatabase();
    const before = await bench.projecting(old, url);
    await before.close();
    const store = await bench.open(url);
    await expect(store.rebuild(begunAgain)).resolves.toMatchObject({ sequence: 120 });
    expect(await store.verify(begunAgain)).toMatchObject({ sequence: 120, identical: true });
  });

  it('works on an empty log', async () => {
    const store = await bench.open();
    await expect(store.rebuild(new HistoryLog())).resolves.toMatchObject({
      events: 0,
      generation: 'catena_2',
    });
    expect((await store.queries.listRuns({})).items).toEqual([]);
  });
});

/** A log that stands still in the middle of being followed, when it is told to. */
class PausingLog extends HistoryLog {
  #stand: (() => Promise<void>) | undefined;

  /** @returns when it stands, and how to let it go on */
  pause(): { reached: Promise<unknown>; release: () => void } {
    const reached = Promise.withResolvers<undefined>();
    const released = Promise.withResolvers<undefined>();
    this.#stand = async () => {
      reached.resolve(undefined);
      await released.promise;
    };
    return { reached: reached.promise, release: () => released.resolve(undefined) };
  }

  override async *follow(options: FollowOptions): AsyncIterable<EventBatch> {
    for await (const batch of super.follow({ ...options, batchSize: 100 })) {
      yield batch;
      const stand = this.#stand;
      this.#stand = undefined;
      await stand?.();
    }
  }
}
