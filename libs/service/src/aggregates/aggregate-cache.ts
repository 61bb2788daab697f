import type { AggregateType, AnyRecordedEvent } from '@catena/events';
import { EMPTY_HEAD, type AggregateHead, type EventLog } from '@catena/event-log';

/** How one kind of aggregate is folded; pure, from the domain libraries. */
export interface Fold<S> {
  readonly type: AggregateType;
  readonly initial: (id: string) => S;
  /** The state after several of its own events, oldest first. */
  readonly evolve: (state: S, events: readonly AnyRecordedEvent[]) => S;
}

/** An aggregate as it stood when it was read: decide on the state, append expecting the head. */
export interface Loaded<S> {
  readonly state: S;
  readonly head: AggregateHead;
  /** Id of its last event: the cause of what is decided now. Empty while there is none. */
  readonly lastEvent: string;
}

const DEFAULT_SIZE = 1_000;

/**
 * Loads aggregates from the log and keeps the last ones in memory, so that loading again reads only what came since.
 * The memory is a cache: the log is read each time, and a conflict of an append tells when it was too early.
 */
export class AggregateCache<S> {
  readonly #log: EventLog;
  readonly #fold: Fold<S>;
  readonly #size: number;
  readonly #loaded = new Map<string, Loaded<S>>();

  constructor(log: EventLog, fold: Fold<S>, size = DEFAULT_SIZE) {
    this.#log = log;
    this.#fold = fold;
    this.#size = size;
  }

  async load(id: string): Promise<Loaded<S>> {
    const { type, initial, evolve } = this.#fold;
    const known = this.#loaded.get(id) ?? { state: initial(id), head: EMPTY_HEAD, lastEvent: '' };
    const events: AnyRecordedEvent[] = [];
    const from = known.head.sequence + 1;
    for await (const event of this.#log.read({ aggregate: { type, id }, from })) events.push(event);
    const last = events.at(-1);
    const loaded =
      last === undefined
        ? known
        : {
            state: evolve(known.state, events),
            head: { sequence: last.sequence, hash: last.hash },
            lastEvent: last.id,
          };
    this.#remember(id, loaded);
    return loaded;
  }

  #remember(id: string, loaded: Loaded<S>): void {
    this.#loaded.delete(id);
    this.#loaded.set(id, loaded);
    const oldest = this.#loaded.keys().next();
    if (this.#loaded.size > this.#size && oldest.done !== true) this.#loaded.delete(oldest.value);
  }
}
