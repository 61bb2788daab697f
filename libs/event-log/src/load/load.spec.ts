import { describe, expect, it } from '@jest/globals';
import type { AnyNewEvent, AnyRecordedEvent } from '@catena/events';
import { MemoryEventLog } from '../memory/memory-event-log.ts';
import { MemorySnapshotStore } from '../memory/memory-snapshot-store.ts';
import { EMPTY_HEAD, type EventLog, type ReadOptions } from '../port/event-log.ts';
import type { SnapshotStore } from '../port/snapshot-store.ts';
import { allOf } from '../testing/reading.ts';
import { claimsOf, part, pauseOf, runRef, scheduleRef } from '../testing/sample-events.ts';
import { describeSnapshotStore } from '../testing/snapshot-store-contract.ts';
import { loadAggregate, type Folding } from './load-aggregate.ts';
import { transact } from './transact.ts';

describeSnapshotStore('MemorySnapshotStore', async () => new MemorySnapshotStore());

const run = runRef('run-a');
const counting: Folding<number> = { initial: 0, evolve: (count) => count + 1 };

/** The log in memory that also tells from where it was read. */
class WatchedLog extends MemoryEventLog {
  readonly readFrom: (number | undefined)[] = [];

  override read(options: ReadOptions = {}): AsyncIterable<AnyRecordedEvent> {
    this.readFrom.push(options.from);
    return super.read(options);
  }
}

async function logWith(count: number): Promise<WatchedLog> {
  const log = new WatchedLog();
  await log.append([part(run, EMPTY_HEAD, claimsOf('run-a', count))]);
  return log;
}

describe('loading an aggregate', () => {
  it('folds its events and names its head', async () => {
    const log = await logWith(3);
    expect(await loadAggregate(log, run, counting)).toEqual({
      state: 3,
      head: await log.head(run),
      eventCount: 3,
    });
    expect(await loadAggregate(log, runRef('run-z'), counting)).toEqual({
      state: 0,
      head: EMPTY_HEAD,
      eventCount: 0,
    });
  });

  const snapshotting = (store: SnapshotStore, failures: unknown[] = [], version = 1): Folding<number> => ({
    ...counting,
    snapshot: { store, fold: 'count', version, every: 5, onFailure: (error) => failures.push(error) },
  });

  it('starts from a snapshot, kept every so many events', async () => {
    const log = await logWith(4);
    const store = new MemorySnapshotStore();
    const folding = snapshotting(store);
    await loadAggregate(log, run, folding);
    expect(await store.load(run, 'count')).toBeUndefined();
    await log.append([part(run, await log.head(run), claimsOf('run-a', 3, 'more'))]);
    expect(await loadAggregate(log, run, folding)).toMatchObject({ state: 7, eventCount: 7 });
    expect(await store.load(run, 'count')).toMatchObject({ eventCount: 7, head: { sequence: 7 } });
    await log.append([part(run, await log.head(run), claimsOf('run-a', 1, 'last'))]);
    log.readFrom.length = 0;
    expect(await loadAggregate(log, run, folding)).toEqual({
      state: 8,
      head: await log.head(run),
      eventCount: 8,
    });
    expect(log.readFrom).toEqual([7]);
    expect(await store.load(run, 'count')).toMatchObject({ eventCount: 7 });
  });

  it('leaves a snapshot of another fold, of another log or of a longer one alone', async () => {
    const store = new MemorySnapshotStore();
    await loadAggregate(await logWith(9), run, snapshotting(store));
    const kept = await store.load(run, 'count');
    expect(await loadAggregate(await logWith(2), run, snapshotting(store))).toMatchObject({ state: 2 });
    expect(await loadAggregate(await logWith(9), run, snapshotting(store, [], 2))).toMatchObject({
      state: 9,
    });
    if (kept)
      await store.save(run, 'count', { ...kept, state: 1000, head: { ...kept.head, hash: 'x'.repeat(43) } });
    expect(await loadAggregate(await logWith(9), run, snapshotting(store))).toMatchObject({ state: 9 });
  });

  it('goes on without its snapshots when they fail, and tells', async () => {
    const failures: unknown[] = [];
    const broken: SnapshotStore = {
      load: () => Promise.reject(new Error('cannot load')),
      save: () => Promise.reject(new Error('cannot save')),
    };
    const loaded = await loadAggregate(await logWith(6), run, snapshotting(broken, failures));
    expect(loaded).toMatchObject({ state: 6 });
    expect(failures.map(String)).toEqual(['Error: cannot load', 'Error: cannot save']);
  });

  it('keeps states that are not JSON in a form that is', async () => {
    const store = new MemorySnapshotStore();
    const folding: Folding<Set<string>> = {
      initial: new Set(),
      evolve: (ids, event) => new Set([...ids, event.id]),
      snapshot: {
        ...{ store, fold: 'ids', version: 1, every: 1 },
        toJson: (ids) => [...ids],
        fromJson: (json) => new Set(json as string[]),
        onFailure: (error) => {
          throw error;
        },
      },
    };
    const log = await logWith(3);
    const first = await loadAggregate(log, run, folding);
    expect(await loadAggregate(log, run, folding)).toEqual(first);
  });
});

describe('a transaction', () => {
  const participants = { run: { aggregate: run, ...counting } };

  it('loads, decides and appends as one, expecting nothing of aggregates it creates', async () => {
    const log = await logWith(2);
    const both: AnyNewEvent[] = [...claimsOf('run-a', 1, 'more'), ...pauseOf('sch-1')];
    const { appended, loaded, events } = await transact(log, participants, ({ run: { state } }) => {
      expect(state).toBe(2);
      return both;
    });
    expect([appended?.sequence, loaded.run.state, events]).toEqual([4, 2, both]);
    const again = transact(log, { run: { aggregate: run, ...counting } }, () => pauseOf('sch-1', 'second'));
    await expect(again).rejects.toMatchObject({
      code: 'event-log.conflict',
      aggregate: scheduleRef('sch-1'),
    });
  });

  it('appends nothing when nothing is decided', async () => {
    const log = await logWith(2);
    expect(await transact(log, participants, () => [])).toMatchObject({ appended: undefined, events: [] });
    expect(await log.lastSequence()).toBe(2);
  });

  it('decides again on the newer state when somebody else was faster', async () => {
    const log = await logWith(1);
    const states: number[] = [];
    await transact(log, participants, async ({ run: { state } }) => {
      states.push(state);
      if (states.length === 1)
        await log.append([part(run, await log.head(run), claimsOf('run-a', 1, 'faster'))]);
      return claimsOf('run-a', 1, 'slower');
    });
    expect(states).toEqual([1, 2]);
    expect(await allOf(log.read())).toHaveLength(3);
  });

  it('gives up in the end', async () => {
    const log = await logWith(1);
    let tries = 0;
    const losing = transact(
      log,
      participants,
      async () => {
        tries += 1;
        await log.append([part(run, await log.head(run), claimsOf('run-a', 1, `faster ${tries}`))]);
        return claimsOf('run-a', 1, 'slower');
      },
      { attempts: 3 },
    );
    await expect(losing).rejects.toMatchObject({ code: 'event-log.conflict' });
    expect(tries).toBe(3);
  });

  it('passes on what the decision throws, and appends nothing', async () => {
    const log: EventLog = await logWith(1);
    const refused = transact(log, participants, () => {
      throw new Error('not allowed');
    });
    await expect(refused).rejects.toThrow('not allowed');
    expect(await log.lastSequence()).toBe(1);
  });
});
