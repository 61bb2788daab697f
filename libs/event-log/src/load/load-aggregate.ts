import type { AggregateRef, AnyRecordedEvent } from '@catena/events';
import { EMPTY_HEAD, type AggregateHead, type EventLog } from '../port/event-log.ts';
import type { Snapshot, SnapshotStore } from '../port/snapshot-store.ts';

/** How an aggregate's events become its state; pure. */
export interface Folding<S> {
  readonly initial: S;
  evolve(state: S, event: AnyRecordedEvent): S;
  readonly snapshot?: Snapshotting<S> | undefined;
}

/** When and how the folded state is kept, so that loading need not begin at the first event. */
export interface Snapshotting<S> {
  readonly store: SnapshotStore;
  /** Name of the fold: an aggregate may be folded in several ways. */
  readonly fold: string;
  /** To be raised whenever the state's shape or `evolve` changes; older snapshots are then left alone. */
  readonly version: number;
  /** A snapshot is kept when at least so many events were folded since the last one; default 200. */
  readonly every?: number;
  /** The state as plain JSON and back; default: it is plain JSON. */
  toJson?(state: S): unknown;
  fromJson?(json: unknown): S;
  /** A snapshot that cannot be read or written costs time only; this is told of it. */
  onFailure(error: unknown): void;
}

/** An aggregate as the log has it: decide on the state, append expecting the head. */
export interface LoadedAggregate<S> {
  readonly state: S;
  readonly head: AggregateHead;
  /** How many events made it. */
  readonly eventCount: number;
}

const SNAPSHOT_EVERY = 200;

/** Folds an aggregate's events, from its snapshot on when it has one that fits the log. */
export async function loadAggregate<S>(
  log: EventLog,
  aggregate: AggregateRef,
  folding: Folding<S>,
): Promise<LoadedAggregate<S>> {
  const from = await startOf(aggregate, folding);
  const loaded =
    (from && (await foldFromSnapshot(log, aggregate, folding, from))) ??
    (await foldAll(log, aggregate, folding));
  await keep(aggregate, folding, loaded, from?.eventCount ?? 0);
  return loaded;
}

async function foldAll<S>(
  log: EventLog,
  aggregate: AggregateRef,
  folding: Folding<S>,
): Promise<LoadedAggregate<S>> {
  let { state, head, eventCount }: LoadedAggregate<S> = {
    state: folding.initial,
    head: EMPTY_HEAD,
    eventCount: 0,
  };
  for await (const event of log.read({ aggregate })) {
    state = folding.evolve(state, event);
    head = { sequence: event.sequence, hash: event.hash };
    eventCount += 1;
  }
  return { state, head, eventCount };
}

/**
 * Reads the snapshot's own event again to see that the log still has it: undefined when it does not, because the
 * snapshot is of another log then. The hash chain from there on is checked by the read.
 */
async function foldFromSnapshot<S>(
  log: EventLog,
  aggregate: AggregateRef,
  folding: Folding<S>,
  start: LoadedAggregate<S>,
): Promise<LoadedAggregate<S> | undefined> {
  let { state, head, eventCount } = start;
  let fits = false;
  for await (const event of log.read({ aggregate, from: start.head.sequence })) {
    if (!fits) {
      fits = event.sequence === start.head.sequence && event.hash === start.head.hash;
      if (!fits) return undefined;
      continue;
    }
    state = folding.evolve(state, event);
    head = { sequence: event.sequence, hash: event.hash };
    eventCount += 1;
  }
  return fits ? { state, head, eventCount } : undefined;
}

async function startOf<S>(
  aggregate: AggregateRef,
  { snapshot }: Folding<S>,
): Promise<LoadedAggregate<S> | undefined> {
  if (!snapshot) return undefined;
  try {
    const kept = await snapshot.store.load(aggregate, snapshot.fold);
    if (!kept || kept.foldVersion !== snapshot.version || kept.head.sequence === 0) return undefined;
    const state = snapshot.fromJson ? snapshot.fromJson(kept.state) : (kept.state as S);
    return { state, head: kept.head, eventCount: kept.eventCount };
  } catch (thrown) {
    snapshot.onFailure(thrown);
    return undefined;
  }
}

async function keep<S>(
  aggregate: AggregateRef,
  { snapshot }: Folding<S>,
  loaded: LoadedAggregate<S>,
  keptCount: number,
): Promise<void> {
  if (!snapshot || loaded.eventCount - keptCount < (snapshot.every ?? SNAPSHOT_EVERY)) return;
  try {
    const kept: Snapshot = {
      head: loaded.head,
      eventCount: loaded.eventCount,
      foldVersion: snapshot.version,
      state: snapshot.toJson ? snapshot.toJson(loaded.state) : loaded.state,
    };
    await snapshot.store.save(aggregate, snapshot.fold, kept);
  } catch (thrown) {
    snapshot.onFailure(thrown);
  }
}
