import type { AggregateRef, AggregateType, AnyRecordedEvent } from '@catena/events';
import { EMPTY_HEAD, type AggregateHead, type EventLog } from '../port/event-log.ts';
import type { Snapshot, SnapshotStore } from '../port/snapshot-store.ts';

/** How one kind of aggregate becomes its state; pure, from the domain libraries. */
export interface Fold<S> {
  readonly type: AggregateType;
  readonly initial: (id: string) => S;
  /** The state after several of its own events, oldest first. */
  readonly evolve: (state: S, events: readonly AnyRecordedEvent[]) => S;
  /** For an aggregate whose history grows without end. */
  readonly snapshot?: SnapshotForm<S>;
}

/** The form in which a folded state is kept, so that loading need not begin at the first event. */
export interface SnapshotForm<S> {
  /** Name of the fold: an aggregate may be folded in several ways. */
  readonly fold: string;
  /** To be raised whenever the state's shape or `evolve` changes; older snapshots are then left alone. */
  readonly version: number;
  /** A snapshot is kept when at least so many events were folded since the last one; default 200. */
  readonly every?: number;
  readonly toJson: (state: S) => unknown;
  readonly fromJson: (json: unknown) => S;
}

/** Where snapshots are kept. */
export interface Snapshots {
  readonly store: SnapshotStore;
  /** A snapshot that cannot be read or written costs time only; this is told of it. */
  onFailure(error: unknown): void;
}

/** An aggregate as it stood when it was read: decide on the state, append expecting the head. */
export interface Loaded<S> {
  readonly state: S;
  readonly head: AggregateHead;
  /** Id of its last event: the cause of what is decided now. Empty while there is none. */
  readonly lastEvent: string;
  /** How many events made it. */
  readonly eventCount: number;
  /** How many of them its newest snapshot holds. */
  readonly snapshotCount: number;
}

export interface LoadOptions<S> {
  /** The same aggregate as it was loaded before: only what came since is folded. */
  readonly known?: Loaded<S> | undefined;
  readonly snapshots?: Snapshots | undefined;
}

const SNAPSHOT_EVERY = 200;
const FOLDED_AT_ONCE = 1_000;

/** Folds an aggregate's events: from what is known of it on, or from its snapshot, when the log still fits that. */
export async function loadAggregate<S>(
  log: EventLog,
  fold: Fold<S>,
  id: string,
  { known, snapshots }: LoadOptions<S> = {},
): Promise<Loaded<S>> {
  const start = known ?? (await startOf(fold, id, snapshots));
  const loaded = (start && (await foldOn(log, fold, id, start))) ?? (await foldAll(log, fold, id));
  return await keep(fold, id, loaded, snapshots);
}

async function foldAll<S>(log: EventLog, fold: Fold<S>, id: string): Promise<Loaded<S>> {
  const empty = {
    state: fold.initial(id),
    head: EMPTY_HEAD,
    lastEvent: '',
    eventCount: 0,
    snapshotCount: 0,
  };
  return await foldEvents(fold, empty, log.read({ aggregate: { type: fold.type, id } }));
}

/**
 * Reads the event at the start's head again to see that the log still has it: undefined when it does not, because the
 * start is of another log then. The hash chain from there on is checked by the read.
 */
async function foldOn<S>(
  log: EventLog,
  fold: Fold<S>,
  id: string,
  start: Loaded<S>,
): Promise<Loaded<S> | undefined> {
  const { sequence, hash } = start.head;
  if (sequence === 0) return undefined;
  const events = log.read({ aggregate: { type: fold.type, id }, from: sequence })[Symbol.asyncIterator]();
  const first = await events.next();
  if (first.done === true || first.value.sequence !== sequence || first.value.hash !== hash) {
    await events.return?.();
    return undefined;
  }
  const rest = { [Symbol.asyncIterator]: () => events };
  return await foldEvents(fold, { ...start, lastEvent: first.value.id }, rest);
}

async function foldEvents<S>(
  fold: Fold<S>,
  start: Loaded<S>,
  events: AsyncIterable<AnyRecordedEvent>,
): Promise<Loaded<S>> {
  let loaded = start;
  let batch: AnyRecordedEvent[] = [];
  const foldBatch = (): void => {
    const last = batch.at(-1);
    if (last === undefined) return;
    loaded = {
      ...loaded,
      state: fold.evolve(loaded.state, batch),
      head: { sequence: last.sequence, hash: last.hash },
      lastEvent: last.id,
      eventCount: loaded.eventCount + batch.length,
    };
    batch = [];
  };
  for await (const event of events) {
    batch.push(event);
    if (batch.length === FOLDED_AT_ONCE) foldBatch();
  }
  foldBatch();
  return loaded;
}

async function startOf<S>(
  { type, snapshot }: Fold<S>,
  id: string,
  snapshots: Snapshots | undefined,
): Promise<Loaded<S> | undefined> {
  if (!snapshot || !snapshots) return undefined;
  try {
    const kept = await snapshots.store.load({ type, id }, snapshot.fold);
    if (kept?.foldVersion !== snapshot.version) return undefined;
    const { head, eventCount } = kept;
    const state = snapshot.fromJson(kept.state);
    return { state, head, lastEvent: '', eventCount, snapshotCount: eventCount };
  } catch (thrown) {
    snapshots.onFailure(thrown);
    return undefined;
  }
}

async function keep<S>(
  { type, snapshot }: Fold<S>,
  id: string,
  loaded: Loaded<S>,
  snapshots: Snapshots | undefined,
): Promise<Loaded<S>> {
  if (!snapshot || !snapshots) return loaded;
  const { head, eventCount } = loaded;
  if (eventCount - loaded.snapshotCount < (snapshot.every ?? SNAPSHOT_EVERY)) return loaded;
  const aggregate: AggregateRef = { type, id };
  try {
    const state = snapshot.toJson(loaded.state);
    const kept: Snapshot = { head, eventCount, foldVersion: snapshot.version, state };
    await snapshots.store.save(aggregate, snapshot.fold, kept);
  } catch (thrown) {
    snapshots.onFailure(thrown);
  }
  // Also after a failure: a store that is away must not be waited for at every load.
  return { ...loaded, snapshotCount: eventCount };
}
