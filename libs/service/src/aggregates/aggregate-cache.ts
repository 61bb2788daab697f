import { loadAggregate, type EventLog, type Fold, type Loaded, type Snapshots } from '@catena/event-log';

export type { Loaded };

export interface CacheOptions {
  /** How many aggregates are kept in memory; default 1000. */
  readonly size?: number;
  /** Where folds that have a snapshot keep it. */
  readonly snapshots?: Snapshots;
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
  readonly #snapshots: Snapshots | undefined;
  readonly #loaded = new Map<string, Loaded<S>>();

  constructor(log: EventLog, fold: Fold<S>, { size = DEFAULT_SIZE, snapshots }: CacheOptions = {}) {
    this.#log = log;
    this.#fold = fold;
    this.#size = size;
    this.#snapshots = snapshots;
  }

  async load(id: string): Promise<Loaded<S>> {
    const known = this.#loaded.get(id);
    const loaded = await loadAggregate(this.#log, this.#fold, id, { known, snapshots: this.#snapshots });
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
