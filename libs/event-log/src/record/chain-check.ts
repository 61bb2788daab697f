import type { AnyRecordedEvent } from '@catena/events';
import { BrokenChainError } from '../port/errors.ts';

/** What of an event makes the chain. */
export type ChainLink = Pick<AnyRecordedEvent, 'sequence' | 'aggregate' | 'previousHash' | 'hash'>;

/**
 * Follows the hash chain of each aggregate through events that are read in order, and stops at the first that does
 * not fit. With a limit the aggregates seen longest ago are forgotten, so memory stays bounded: what is forgotten is
 * not checked across the gap, nothing is refused wrongly.
 */
export class ChainCheck {
  readonly #hashes = new Map<string, string>();
  readonly #limit: number;
  #complete: boolean;

  /** `complete`: reading starts at the log's first event, so the first event of each aggregate must say so. */
  constructor(options: { complete: boolean; limit?: number }) {
    this.#complete = options.complete;
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
  }

  /** @throws BrokenChainError; the event is the last known of its aggregate all the same, so a caller may go on. */
  accept(event: ChainLink): void {
    const key = `${event.aggregate.type}/${event.aggregate.id}`;
    const expected = this.#hashes.get(key) ?? (this.#complete ? '' : undefined);
    this.#hashes.delete(key);
    this.#hashes.set(key, event.hash);
    if (this.#hashes.size > this.#limit) this.#forgetOldest();
    if (expected !== undefined && event.previousHash !== expected) {
      throw new BrokenChainError(event.sequence, event.aggregate, expected, event.previousHash);
    }
  }

  /** How many aggregates are known. */
  get aggregates(): number {
    return this.#hashes.size;
  }

  #forgetOldest(): void {
    const [oldest] = this.#hashes.keys();
    if (oldest !== undefined) this.#hashes.delete(oldest);
    this.#complete = false;
  }
}
