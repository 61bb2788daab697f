import { describe, expect, it } from '@jest/globals';
import type { AnyRecordedEvent } from '@catena/events';
import { MemoryEventLog } from '../memory/memory-event-log.ts';
import { MemorySnapshotStore } from '../memory/memory-snapshot-store.ts';
import { EMPTY_HEAD, type ReadOptions } from '../port/event-log.ts';
import type { SnapshotStore } from '../port/snapshot-store.ts';
import { claimsOf, part, runRef } from '../testing/sample-events.ts';
import { describeSnapshotStore } from '../testing/snapshot-store-contract.ts';
import { loadAggregate, type Fold, type Snapshots } from './load-aggregate.ts';

describeSnapshotStore('MemorySnapshotStore', async () => new MemorySnapshotStore());

const run = runRef('run-a');
const counting: Fold<number> = {
  type: 'run',
  initial: () => 0,
  evolve: (count, events) => count + events.length,
};
const countingWithSnapshots: Fold<number> = {
  ...counting,
  snapshot: { fold: 'count', version: 1, every: 5, toJson: (count) => count, fromJson: Number },
};

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
  const keeping = (store: SnapshotStore, failures: unknown[] = []): { snapshots: Snapshots } => ({
    snapshots: { store, onFailure: (error) => failures.push(error) },
  });

  it('folds its events and names its head and its last event', async () => {
    const log = await logWith(3);
    let last = '';
    for await (const { id } of log.read()) last = id;
    expect(await loadAggregate(log, counting, 'run-a')).toEqual({
      state: 3,
      head: await log.head(run),
      lastEvent: last,
      eventCount: 3,
      snapshotCount: 0,
    });
    expect(await loadAggregate(log, counting, 'run-z')).toEqual({
      state: 0,
      head: EMPTY_HEAD,
      lastEvent: '',
      eventCount: 0,
      snapshotCount: 0,
    });
  });

  it('goes on from what was loaded before, and begins again when the log is another', async () => {
    const log = await logWith(3);
    const known = await loadAggregate(log, counting, 'run-a');
    expect(await loadAggregate(log, counting, 'run-a', { known })).toEqual(known);
    await log.append([part(run, known.head, claimsOf('run-a', 2, 'more'))]);
    log.readFrom.length = 0;
    expect(await loadAggregate(log, counting, 'run-a', { known })).toMatchObject({ state: 5, eventCount: 5 });
    expect(log.readFrom).toEqual([3]);
    expect(await loadAggregate(await logWith(2), counting, 'run-a', { known })).toMatchObject({ state: 2 });
  });

  it('starts from a snapshot, kept every so many events', async () => {
    const log = await logWith(4);
    const store = new MemorySnapshotStore();
    const options = keeping(store);
    const load = () => loadAggregate(log, countingWithSnapshots, 'run-a', options);
    await load();
    expect(await store.load(run, 'count')).toBeUndefined();
    await log.append([part(run, await log.head(run), claimsOf('run-a', 3, 'more'))]);
    expect(await load()).toMatchObject({ state: 7, eventCount: 7, snapshotCount: 7 });
    expect(await store.load(run, 'count')).toMatchObject({ eventCount: 7, head: { sequence: 7 } });
    const atSnapshot = await load();
    await log.append([part(run, await log.head(run), claimsOf('run-a', 1, 'last'))]);
    log.readFrom.length = 0;
    expect(await load()).toMatchObject({ state: 8, head: await log.head(run), eventCount: 8 });
    expect(log.readFrom).toEqual([7]);
    expect(await store.load(run, 'count')).toMatchObject({ eventCount: 7 });
    expect(atSnapshot.lastEvent).not.toBe('');
  });

  it('leaves a snapshot of another fold, of another log or of a longer one alone', async () => {
    const store = new MemorySnapshotStore();
    const load = async (count: number, fold = countingWithSnapshots) =>
      await loadAggregate(await logWith(count), fold, 'run-a', keeping(store));
    await load(9);
    expect(await load(2)).toMatchObject({ state: 2 });
    const { snapshot } = countingWithSnapshots;
    const newer = { ...countingWithSnapshots, ...(snapshot && { snapshot: { ...snapshot, version: 2 } }) };
    expect(await load(9, newer)).toMatchObject({ state: 9 });
    await load(9);
    const kept = await store.load(run, 'count');
    if (kept)
      await store.save(run, 'count', { ...kept, state: 1000, head: { ...kept.head, hash: 'x'.repeat(43) } });
    expect(await load(9)).toMatchObject({ state: 9 });
  });

  it('goes on without its snapshots when they fail, tells, and does not try again at once', async () => {
    const failures: unknown[] = [];
    const broken: SnapshotStore = {
      load: () => Promise.reject(new Error('cannot load')),
      save: () => Promise.reject(new Error('cannot save')),
    };
    const log = await logWith(6);
    const options = keeping(broken, failures);
    const known = await loadAggregate(log, countingWithSnapshots, 'run-a', options);
    expect(known).toMatchObject({ state: 6 });
    expect(failures.map(String)).toEqual(['Error: cannot load', 'Error: cannot save']);
    await loadAggregate(log, countingWithSnapshots, 'run-a', { ...options, known });
    expect(failures).toHaveLength(2);
  });

  it('keeps states that are not JSON in a form that is', async () => {
    const fold: Fold<Set<string>> = {
      type: 'run',
      initial: () => new Set(),
      evolve: (ids, events) => new Set([...ids, ...events.map(({ id }) => id)]),
      snapshot: {
        ...{ fold: 'ids', version: 1, every: 1 },
        toJson: (ids) => [...ids],
        fromJson: (json) => new Set(json as string[]),
      },
    };
    const log = await logWith(3);
    const options = keeping(new MemorySnapshotStore());
    const first = await loadAggregate(log, fold, 'run-a', options);
    expect(await loadAggregate(log, fold, 'run-a', options)).toEqual(first);
  });
});
