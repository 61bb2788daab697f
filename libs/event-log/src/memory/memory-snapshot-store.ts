import { aggregateFilter, type AggregateRef } from '@catena/events';
import type { Snapshot, SnapshotStore } from '../port/snapshot-store.ts';

/** Snapshots as long as the process lives, as JSON like everywhere. */
export class MemorySnapshotStore implements SnapshotStore {
  readonly #kept = new Map<string, string>();

  async load(aggregate: AggregateRef, fold: string): Promise<Snapshot | undefined> {
    const kept = this.#kept.get(keyOf(aggregate, fold));
    return kept === undefined ? undefined : (JSON.parse(kept) as Snapshot);
  }

  async save(aggregate: AggregateRef, fold: string, snapshot: Snapshot): Promise<void> {
    this.#kept.set(keyOf(aggregate, fold), JSON.stringify(snapshot));
  }
}

function keyOf(aggregate: AggregateRef, fold: string): string {
  return `${aggregateFilter(aggregate)} ${fold}`;
}
