import { describe, expect, it } from '@jest/globals';
import type { Snapshot, SnapshotStore } from '../port/snapshot-store.ts';
import { runRef, scheduleRef } from './sample-events.ts';

const snapshot: Snapshot = {
  head: { sequence: 5, hash: 'h'.repeat(43) },
  eventCount: 3,
  foldVersion: 1,
  state: { claims: 3, text: 'Ω', none: null },
};

/** What every snapshot store must do; each test opens an empty one. */
export function describeSnapshotStore(name: string, open: () => Promise<SnapshotStore>): void {
  describe(`${name} as a snapshot store`, () => {
    it('has nothing at first', async () => {
      const store = await open();
      expect(await store.load(runRef('run-a'), 'state')).toBeUndefined();
    });

    it('gives back the newest snapshot of each aggregate and fold', async () => {
      const store = await open();
      await store.save(runRef('run-a'), 'state', { ...snapshot, eventCount: 1 });
      await store.save(runRef('run-a'), 'state', snapshot);
      await store.save(runRef('run-a'), 'other', { ...snapshot, state: 7 });
      await store.save(scheduleRef('run-a'), 'state', { ...snapshot, state: [] });
      expect(await store.load(runRef('run-a'), 'state')).toEqual(snapshot);
      expect(await store.load(runRef('run-a'), 'other')).toEqual({ ...snapshot, state: 7 });
      expect(await store.load(scheduleRef('run-a'), 'state')).toEqual({ ...snapshot, state: [] });
      expect(await store.load(runRef('run-b'), 'state')).toBeUndefined();
    });
  });
}
