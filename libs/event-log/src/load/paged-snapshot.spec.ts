import { describe, expect, it } from '@jest/globals';
import type { AggregateRef } from '@catena/events';
import { MemoryEventLog } from '../memory/memory-event-log.ts';
import { MemorySnapshotStore } from '../memory/memory-snapshot-store.ts';
import { EMPTY_HEAD, type AggregateHead } from '../port/event-log.ts';
import type { Snapshot } from '../port/snapshot-store.ts';
import { claimsOf } from '../testing/sample-events.ts';
import type { Snapshots } from './load-aggregate.ts';
import { loadPagedSnapshot, savePagedSnapshot, type PagedFold } from './paged-snapshot.ts';

const FOLD: PagedFold = { aggregate: { type: 'schedule', id: 'book' }, fold: 'book', version: 1 };

/** Fails from a certain writing on, as when a process is killed. */
class StoreThatBreaks extends MemorySnapshotStore {
  left = Number.POSITIVE_INFINITY;

  override async save(aggregate: AggregateRef, fold: string, snapshot: Snapshot): Promise<void> {
    this.left -= 1;
    if (this.left < 0) throw new Error('broken off');
    await super.save(aggregate, fold, snapshot);
  }
}

describe('a snapshot in pages', () => {
  const setUp = () => {
    const log = new MemoryEventLog();
    const store = new StoreThatBreaks();
    const snapshots: Snapshots = { store, onFailure: (error) => expect(error).toBeUndefined() };
    return { log, store, snapshots };
  };

  async function appended(log: MemoryEventLog, run: string): Promise<AggregateHead> {
    const aggregate = { type: 'run', id: run } as const;
    const { heads } = await log.append([{ aggregate, expected: EMPTY_HEAD, events: claimsOf(run, 1) }]);
    return heads[0] ?? EMPTY_HEAD;
  }

  async function loaded(log: MemoryEventLog, snapshots: Snapshots, fold = FOLD) {
    const pages: unknown[] = [];
    const head = await loadPagedSnapshot(log, snapshots, fold, (page) => pages.push(page));
    return { head, pages };
  }

  it('comes back page by page with the event up to which it holds', async () => {
    const { log, snapshots } = setUp();
    const head = await appended(log, 'run-1');
    await savePagedSnapshot(snapshots, FOLD, { head, pages: [{ a: 1 }, ['b'], 'c'] });
    expect(await loaded(log, snapshots)).toEqual({ head, pages: [{ a: 1 }, ['b'], 'c'] });
  });

  it.each([0, 1, 2, 3])(
    'that is broken off after %s writings leaves the one before whole',
    async (writings) => {
      const { log, store, snapshots } = setUp();
      const head = await appended(log, 'run-1');
      await savePagedSnapshot(snapshots, FOLD, { head, pages: [1, 2, 3] });
      store.left = writings;
      const later = { head: await appended(log, 'run-2'), pages: [4, 5, 6] };
      await expect(savePagedSnapshot(snapshots, FOLD, later)).rejects.toThrow('broken off');
      expect(await loaded(log, snapshots)).toEqual({ head, pages: [1, 2, 3] });
      store.left = Number.POSITIVE_INFINITY;
      await savePagedSnapshot(snapshots, FOLD, later);
      expect(await loaded(log, snapshots)).toEqual(later);
    },
  );

  it('of another version, of another log or of a log that was longer is none', async () => {
    const { log, snapshots } = setUp();
    const head = await appended(log, 'run-1');
    await savePagedSnapshot(snapshots, FOLD, { head, pages: [1] });
    const nothing = { head: undefined, pages: [] };
    expect(await loaded(log, snapshots, { ...FOLD, version: 2 })).toEqual(nothing);
    expect(await loaded(new MemoryEventLog(), snapshots)).toEqual(nothing);
    const other = new MemoryEventLog();
    await appended(other, 'run-9');
    expect(await loaded(other, snapshots)).toEqual(nothing);
  });

  it('with a page of another one is refused', async () => {
    const { log, store, snapshots } = setUp();
    const head = await appended(log, 'run-1');
    await savePagedSnapshot(snapshots, FOLD, { head, pages: [1, 2] });
    const first = await store.load(FOLD.aggregate, 'book-a-0');
    await store.save(FOLD.aggregate, 'book-a-0', { ...first!, state: { of: 'another', content: 7 } });
    await expect(loaded(log, snapshots)).rejects.toThrow('Page 0');
  });
});
