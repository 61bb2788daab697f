import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventNotUnderstoodError, domainEvent, stamp, type AnyDomainEvent } from '@catena/events';
import { EMPTY_HEAD, type EventBatch, type EventLog, type FollowOptions } from '@catena/event-log';
import { HistoryLog, plausibleHistory } from '../testing/index.ts';
import { PATIENCE, StoreBench } from '../testing/store-bench.ts';
import { BehindError } from './position-waiters.ts';
import type { ProjectionRunner } from './projection-runner.ts';

// Whatever else the machine does: a real server may be slow, never wrong.

let bench: StoreBench;
beforeAll(async () => {
  bench = await StoreBench.start({ settings: { synchronous_commit: 'on' } });
});
afterEach(() => bench.closeStores());
afterAll(() => bench.end());

const context = { time: '2026-06-01T00:00:00.000Z', actor: 'person:ada', correlationId: 'c' };

async function append(log: HistoryLog, causationId: string, ...events: AnyDomainEvent[]): Promise<number> {
  const stamped = stamp(events, { ...context, causationId });
  const parts = stamped.map((event) => ({
    aggregate: event.aggregate,
    expected: EMPTY_HEAD,
    events: [event],
  }));
  return (await log.append(parts)).sequence;
}

function restoreRequested(run: string): AnyDomainEvent {
  const request = { kind: 'rescan' as const, repository: 'primary' };
  return domainEvent('run.requested', run, { request });
}

async function untilStopped(runner: ProjectionRunner): Promise<void> {
  while (runner.stopped === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** What the rows must be: the log projected into an empty database in one go. */
async function oracle(log: EventLog) {
  return (await bench.projecting(log)).digest();
}

describe('projecting', () => {
  it('goes on where it stood when the process starts again', async () => {
    const log = new HistoryLog();
    const history = plausibleHistory(1, 1_500);
    const url = await bench.postgres.createDatabase();
    for (const count of [1, 400, 3, 700, 396]) {
      await log.take(history, count);
      const store = await bench.projecting(log, url);
      await store.close();
    }
    const store = await bench.open(url);
    expect(await store.digest()).toEqual(await oracle(log));
  });

  it('applies nothing twice and loses nothing when several processes project at once', async () => {
    const log = new HistoryLog();
    const history = plausibleHistory(2, 1_200);
    const url = await bench.postgres.createDatabase();
    const runners = [];
    for (let i = 0; i < 3; i++) runners.push((await bench.open(url)).project(log));
    for (let i = 0; i < 40; i++) await log.take(history, 30);
    for (const runner of runners) await runner.waitFor(1_200, PATIENCE);
    const store = await bench.open(url);
    expect(await store.digest()).toEqual(await oracle(log));
  });

  it('waits for PostgreSQL when it is killed, and goes on with nothing lost or doubled', async () => {
    const log = new HistoryLog();
    const history = plausibleHistory(3, 800);
    const store = await bench.open();
    const runner = store.project(log);
    for (let i = 0; i < 2; i++) {
      await log.take(history, 300);
      await runner.waitFor((i + 1) * 300 - 200, PATIENCE);
      await bench.postgres.kill9();
      await log.take(history, 100);
      await expect(store.queries.listRuns({})).rejects.toMatchObject({
        code: 'read-store.unavailable',
        retryable: true,
      });
      await bench.postgres.restart();
      await runner.waitFor((i + 1) * 400, PATIENCE);
    }
    expect(runner.stale).toBeUndefined();
    expect(await store.digest()).toEqual(await oracle(log));
  });

  it('gives rows again that a crash of the database took, also when nothing new happens', async () => {
    const log = new HistoryLog();
    await log.take(plausibleHistory(5, 400));
    const url = await bench.postgres.createDatabase();
    const store = await bench.projecting(log, url);
    const whole = await store.digest();
    // What a crash before the newest commits were on disk leaves: an earlier state of rows and position.
    const earlier = new HistoryLog();
    await earlier.take(plausibleHistory(5, 150));
    await store.rebuild(earlier);
    await store.queries.listRuns({ atLeast: 400 });
    expect(await store.digest()).toEqual(whole);
  });

  it('stops at an event that does not fit, says which and why, and marks its answers', async () => {
    const log = new HistoryLog();
    await append(log, 'a', restoreRequested('run-a'));
    const bad = await append(
      log,
      'b',
      domainEvent('run.released', 'run-b', { attempt: 1, mover: 'm', reason: 'r' }),
    );
    await append(log, 'c', restoreRequested('run-c'));
    const url = await bench.postgres.createDatabase();
    const store = await bench.open(url);
    const notices: string[] = [];
    const runner = store.project(log, { onNotice: ({ message }) => notices.push(message) });
    await untilStopped(runner);
    expect(runner.stopped).toMatchObject({
      sequence: bad,
      reason: expect.stringContaining('run.released of run "run-b"'),
    });
    expect(runner.position).toBe(bad - 1);
    expect(notices).toEqual([expect.stringContaining(`Event ${bad}`)]);
    const page = await store.queries.listRuns({});
    expect(page).toMatchObject({ sequence: bad - 1, stale: expect.stringContaining(`Event ${bad}`) });
    expect(page.items.map(({ run }) => run)).toEqual(['run-a']);
    await expect(runner.waitFor(bad, 20)).rejects.toThrow(BehindError);
    const other = await bench.open(url);
    expect(await other.queries.listRuns({})).toMatchObject({
      stale: expect.stringContaining(`Event ${bad}`),
    });
    await expect(store.rebuild(log)).rejects.toMatchObject({ code: 'read-store.cannot-apply' });
    expect((await store.queries.state()).generation).toBe('catena_1');
  });

  it('finds the one event of a batch whose data no table can hold', async () => {
    const log = new HistoryLog();
    await append(log, 'a', restoreRequested('run-a'));
    const request = { kind: 'rescan' as const, repository: 'primary' };
    const noSuchDay = '2026-02-31T00:00:00.000Z';
    const bad = await append(
      log,
      'b',
      domainEvent('run.requested', 'run-b', { request, nominal: noSuchDay }),
    );
    const store = await bench.open();
    const runner = store.project(log);
    await untilStopped(runner);
    expect(runner.stopped).toMatchObject({
      sequence: bad,
      reason: expect.stringContaining('date/time field value'),
    });
    expect(runner.position).toBe(bad - 1);
  });

  it('keeps what an event says to the letter, also what PostgreSQL finds hard', async () => {
    const log = new HistoryLog();
    const reason = 'tab\t, line\n, return\r, backslash \\ \\N, quote "\', nul \u0000, half \ud800, 🎈';
    const spec = { [reason]: [reason, { '\\.': null }] };
    const { uid, name } = { uid: 'u-1', name: 'nightly' };
    await append(
      log,
      'a',
      domainEvent('definition.applied', 'schedule-nightly', {
        kind: 'Schedule',
        name,
        uid,
        generation: 1,
        labels: {},
        spec,
      }),
      domainEvent('schedule.paused', uid, { schedule: name, reason }),
    );
    const store = await bench.projecting(log);
    expect((await store.queries.listDefinitions({})).items[0]?.spec).toEqual(spec);
    const { items } = await store.queries.listSchedules({});
    // A text column cannot hold NUL or half a character.
    expect(items[0]?.pauseReason).toBe(reason.replace(/[\0\ud800](?![\udc00-\udfff])/g, '\ufffd'));
  });

  it('stands before an event that this build does not know, until a build that does has gone past', async () => {
    const older = new BlindLog();
    const newer = new HistoryLog();
    older.blindFor = 2;
    for (const log of [older, newer]) {
      for (const run of ['a', 'b', 'c']) await append(log, run, restoreRequested(`run-${run}`));
    }
    const url = await bench.postgres.createDatabase();
    const store = await bench.open(url);
    const runner = store.project(older);
    await untilStopped(runner);
    expect(runner.stopped).toMatchObject({
      sequence: 2,
      reason: expect.stringContaining('does not know the type'),
    });
    expect(runner.position).toBe(1);
    await bench.projecting(newer, url);
    await runner.waitFor(3, PATIENCE);
    expect(runner.stale).toBeUndefined();
  });

  it('says that it waits while the log cannot be read, and recovers', async () => {
    const log = new DistantLog();
    await log.take(plausibleHistory(4, 50));
    const store = await bench.open();
    const runner = store.project(log);
    while (runner.stale === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(runner.stale).toContain('nobody answers');
    log.away = false;
    await runner.waitFor(50, PATIENCE);
    expect(runner.stale).toBeUndefined();
  });
});

/** Fake of the log as an older build reads it: it does not know the event of that sequence. */
class BlindLog extends HistoryLog {
  blindFor = Infinity;

  override async *follow(options: FollowOptions): AsyncIterable<EventBatch> {
    for await (const batch of super.follow({ ...options, batchSize: 1 })) {
      if (batch.through === this.blindFor) {
        throw new EventNotUnderstoodError('run.dreamt', 1, 'this build does not know the type');
      }
      yield batch;
    }
  }
}

/** Fake of a log whose server may be away. */
class DistantLog extends HistoryLog {
  away = true;

  override lastSequence(): Promise<number> {
    return this.away ? Promise.reject(new Error('nobody answers')) : super.lastSequence();
  }
}
