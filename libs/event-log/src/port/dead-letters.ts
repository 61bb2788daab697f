import type { AggregateRef, ErrorDescription } from '@catena/events';

/** An event whose effect failed for good for one durable subscriber. */
export interface DeadLetter {
  /** The durable name that gave up. */
  readonly consumer: string;
  /** Log sequence of the event. */
  readonly sequence: number;
  readonly event: { readonly id: string; readonly type: string; readonly aggregate: AggregateRef };
  /** How often it was tried. */
  readonly attempts: number;
  /** Of the last attempt. */
  readonly error: ErrorDescription;
  /** ISO 8601 instant of giving up. */
  readonly failedAt: string;
}

/** Which dead letter: a subscriber has at most one for an event. */
export type DeadLetterKey = Pick<DeadLetter, 'consumer' | 'sequence'>;

/** What operators see and do about effects that failed for good. */
export interface DeadLetters {
  /** Ordered by the time of giving up, oldest first. */
  list(filter?: { consumer?: string }): Promise<readonly DeadLetter[]>;
  count(filter?: { consumer?: string }): Promise<number>;
  /**
   * Hands the event to its subscriber again, with all attempts anew, as soon as one of its processes runs.
   * @throws CatenaError `event-log.no-dead-letter`
   */
  redeliver(key: DeadLetterKey): Promise<void>;
  /**
   * Forgets it; the event itself stays in the log.
   * @throws CatenaError `event-log.no-dead-letter`
   */
  discard(key: DeadLetterKey): Promise<void>;
}
