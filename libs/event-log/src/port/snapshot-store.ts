import type { AggregateRef } from '@catena/events';
import type { AggregateHead } from './event-log.ts';

/** A folded state and the head it was folded to. A cache: losing it loses nothing. */
export interface Snapshot {
  readonly head: AggregateHead;
  /** How many events the state was folded from. */
  readonly eventCount: number;
  /** Version of the fold that made it; another fold ignores it. */
  readonly foldVersion: number;
  /** Plain JSON. */
  readonly state: unknown;
}

/** Keeps the newest snapshot of each aggregate and fold. */
export interface SnapshotStore {
  load(aggregate: AggregateRef, fold: string): Promise<Snapshot | undefined>;
  save(aggregate: AggregateRef, fold: string, snapshot: Snapshot): Promise<void>;
}
