import type { TimedEvent } from '../folding/timed-event.ts';

/** What a schedule must know about the collection it writes to. */
export interface CollectionKnowledge {
  /** A conventional full is there and usable. */
  readonly usableFull: boolean;
  /**
   * `completed` once any conventional full has, whatever became of it; otherwise how the newest one that was asked
   * for stands.
   */
  readonly firstFull: 'none' | 'pending' | 'failed' | 'completed';
}

/** Source and repository of a schedule, by name and as they are defined now. */
export interface CollectionRef {
  readonly source: string;
  readonly repository: string;
  /** Its id, which depends on what both are now. */
  readonly collection: string;
}

/** What is known of collections as plain JSON. */
export interface CapturedCollections {
  /** Usable fulls by collection. */
  readonly fulls: readonly (readonly [collection: string, backups: readonly string[]])[];
  /** Source and repository by run. */
  readonly pending: readonly (readonly [run: string, pair: string])[];
  /** Sources and repositories of which a full has failed. */
  readonly failed: readonly string[];
}

/**
 * The scheduler's own small view of runs and collections, folded from the log. It holds what is open and the fulls of
 * each collection, nothing of finished runs.
 */
export class CollectionsSeen {
  /** Usable fulls by collection; an entry stays when the last of them is gone. */
  readonly #fulls = new Map<string, Set<string>>();
  /** Source and repository of each full that is asked for and not over, by run. */
  readonly #pending = new Map<string, string>();
  readonly #pendingCount = new Map<string, number>();
  readonly #failed = new Set<string>();

  /** All of it as it is now; what is read later does not change it. */
  capture(): CapturedCollections {
    return {
      fulls: [...this.#fulls].map(([collection, usable]) => [collection, [...usable]]),
      pending: [...this.#pending],
      failed: [...this.#failed],
    };
  }

  /** Takes in what was captured, or a part of it. */
  restore({ fulls, pending, failed }: CapturedCollections): void {
    for (const [collection, usable] of fulls) this.#fulls.set(collection, new Set(usable));
    for (const [run, pair] of pending) this.#open(run, pair);
    for (const pair of failed) this.#failed.add(pair);
  }

  /** Takes in one event of the log; those that say nothing about fulls are ignored. */
  observe(event: TimedEvent): void {
    switch (event.type) {
      case 'run.requested': {
        const { request } = event.data;
        const isFull = request.kind === 'backup' && request.type === 'full' && !request.copyOnly;
        if (isFull || request.kind === 'compose') {
          this.#open(event.aggregate.id, pairOf(request.source, request.repository));
        }
        return;
      }
      case 'run.planned': {
        const { plan } = event.data;
        if (plan.kind === 'backup' && plan.type === 'full' && !plan.copyOnly) {
          this.#open(event.aggregate.id, pairOf(plan.source.name, plan.repository.name));
        }
        return;
      }
      case 'run.completed':
        this.#close(event.aggregate.id);
        return;
      case 'run.failed':
      case 'run.refused':
      case 'run.cancelled': {
        const pair = this.#close(event.aggregate.id);
        if (pair !== undefined) this.#failed.add(pair);
        return;
      }
      case 'collection.backup-completed':
        if (event.data.type === 'full' && !event.data.copyOnly) {
          const usable = this.#fulls.get(event.aggregate.id) ?? new Set();
          this.#fulls.set(event.aggregate.id, usable.add(event.data.backup));
        }
        return;
      case 'collection.backup-unusable':
        this.#fulls.get(event.aggregate.id)?.delete(event.data.backup);
        return;
      default:
        return;
    }
  }

  /** What is known about one collection. */
  of({ source, repository, collection }: CollectionRef): CollectionKnowledge {
    const usable = this.#fulls.get(collection);
    if (usable) return { usableFull: usable.size > 0, firstFull: 'completed' };
    const pair = pairOf(source, repository);
    if (this.#pendingCount.has(pair)) return { usableFull: false, firstFull: 'pending' };
    return { usableFull: false, firstFull: this.#failed.has(pair) ? 'failed' : 'none' };
  }

  #open(run: string, pair: string): void {
    if (this.#pending.has(run)) return;
    this.#pending.set(run, pair);
    this.#pendingCount.set(pair, (this.#pendingCount.get(pair) ?? 0) + 1);
  }

  #close(run: string): string | undefined {
    const pair = this.#pending.get(run);
    if (pair === undefined) return undefined;
    this.#pending.delete(run);
    const left = (this.#pendingCount.get(pair) ?? 1) - 1;
    if (left > 0) this.#pendingCount.set(pair, left);
    else this.#pendingCount.delete(pair);
    return pair;
  }
}

function pairOf(source: string, repository: string): string {
  return `${source} ${repository}`;
}
