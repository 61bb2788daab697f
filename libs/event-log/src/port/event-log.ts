import type { AggregateRef, AnyNewEvent, AnyRecordedEvent, EventType } from '@catena/events';
import type { StoredEvent } from '../record/stored-event.ts';
import type { DeadLetters } from './dead-letters.ts';

/**
 * Where an aggregate's history ends as its reader saw it: the expected version of the next append.
 * `{ sequence: 0, hash: '' }` says that nothing must be there yet.
 */
export interface AggregateHead {
  /** Log sequence of the aggregate's last event. */
  readonly sequence: number;
  /** That event's hash; the next event carries it. */
  readonly hash: string;
}

export const EMPTY_HEAD: AggregateHead = { sequence: 0, hash: '' };

/** The part of an append that concerns one aggregate. */
export interface AppendPart {
  readonly aggregate: AggregateRef;
  readonly expected: AggregateHead;
  /** At least one, all of this aggregate, oldest first. */
  readonly events: readonly AnyNewEvent[];
}

/** An append that its log has checked and encoded: to send it is all that is left. Nothing is stored before that. */
export interface PreparedAppend {
  readonly parts: readonly AppendPart[];
}

export interface AppendResult {
  /** Sequence of the last event of the append. */
  readonly sequence: number;
  /** New heads, in the order of the parts. */
  readonly heads: readonly AggregateHead[];
  /** True when the log already had these very events: an earlier attempt had succeeded. */
  readonly repeated: boolean;
}

export interface ReadOptions {
  /** First sequence wanted; default 1. */
  readonly from?: number;
  /** Last sequence wanted; default: the end of the log when reading began. */
  readonly to?: number;
  readonly aggregate?: AggregateRef;
  readonly types?: readonly EventType[];
  readonly signal?: AbortSignal;
}

/**
 * A batch handed to a subscriber; sequences grow, nothing is left out that the filter lets through. A batch may be
 * empty: then it only says how far the log was seen.
 */
export interface EventBatch {
  readonly events: readonly AnyRecordedEvent[];
  /** The log sequence up to which this subscriber has now seen everything. */
  readonly through: number;
}

export interface FollowOptions {
  /** First sequence wanted. */
  readonly from: number;
  readonly types?: readonly EventType[];
  /** Most events of a batch; default 500. */
  readonly batchSize?: number;
  readonly signal: AbortSignal;
}

export interface DurableOptions {
  /** Name of the position; several processes with one name share the work. */
  readonly name: string;
  readonly types?: readonly EventType[];
  /** Where a new name starts; default 1. */
  readonly from?: number;
  readonly signal: AbortSignal;
  /** Delays before an event is delivered again, in milliseconds; after the last one it becomes a dead letter. */
  readonly backoff: readonly number[];
}

/**
 * The append-only log (architecture.md section 3). Implementations pass the suite in `@catena/event-log/testing`.
 */
export interface EventLog {
  /**
   * Appends all parts or nothing. Idempotent by event id: repeating an append that had succeeded answers `repeated`.
   * At most 1000 events; a larger decision is split by its caller, where each part is true by itself.
   * @throws ConcurrencyConflictError when an aggregate is not where a part expects it.
   * @throws EventNotUnderstoodError when a payload breaks its schema; nothing is written.
   * @throws AppendRefusedError when the append can never succeed as it is, or the log cannot store it (its disk is full).
   * @throws LogNotStoringError (retryable) when the log answers but stores nothing; the same append may be repeated safely.
   * @throws LogUnavailableError (retryable) when the log did not answer; the same append may be repeated safely.
   */
  append(append: readonly AppendPart[] | PreparedAppend): Promise<AppendResult>;

  /**
   * Checks and encodes an append ahead of the moment in which it is to be stored; only this log takes it.
   * @throws as `append` does before anything is sent.
   */
  prepare(parts: readonly AppendPart[]): PreparedAppend;

  /**
   * Reads what is there, in order of sequence. With an aggregate and no types its hash chain is checked.
   * @throws UnreadableEventError, BrokenChainError or LogGapError naming the sequence; nothing is skipped.
   */
  read(options?: ReadOptions): AsyncIterable<AnyRecordedEvent>;

  /** The head of an aggregate without its events. */
  head(aggregate: AggregateRef): Promise<AggregateHead>;

  /** Sequence of the newest event; 0 when empty. */
  lastSequence(): Promise<number>;

  /**
   * Batches from a sequence on, then new events as they come, until the signal aborts. Ordered; the caller keeps its
   * position. Goes on by itself after any loss of the connection or of the server, missing and repeating nothing.
   * @throws PositionBeyondLogError when the log ends before the position: it is another log, or it lost events.
   * @throws UnreadableEventError, BrokenChainError or LogGapError naming the sequence; nothing is skipped.
   */
  follow(options: FollowOptions): AsyncIterable<EventBatch>;

  /**
   * Delivers each event at least once to one of the processes that share the name; the position is durable.
   * For effects (deliveries, jobs), never for projections: what fails for good becomes a dead letter. Returns when the
   * signal aborts, after the handler that runs then has finished.
   * @throws UnreadableEventError when this build does not understand an event; the event stays for one that does.
   */
  deliver(
    options: DurableOptions,
    handle: (event: AnyRecordedEvent, delivery: { attempt: number }) => Promise<void>,
  ): Promise<void>;

  /** How many events a durable name has been given again and has not taken yet: each of them keeps failing. */
  retrying(name: string): Promise<number>;

  /**
   * Forgets a durable name and its position, once nobody delivers under it any more: a later `deliver` begins anew. Its
   * dead letters stay. Forgetting one that is not there does nothing.
   */
  forget(name: string): Promise<void>;

  /**
   * Reads events as they are stored, with neither schema nor chain checked: for verifying, exporting and comparing.
   * Ends with the log as it was when reading began.
   */
  readStored(options?: { from?: number; to?: number; signal?: AbortSignal }): AsyncIterable<StoredEvent>;

  /**
   * Writes events of another log to the very places they had there, whole or not at all; at most 1000. Their time of
   * storing is kept in a header.
   * @throws AppendRefusedError when this log does not end right before the first of them.
   */
  restoreStored(events: readonly StoredEvent[]): Promise<void>;

  /** What `deliver` gave up on. */
  readonly deadLetters: DeadLetters;

  /** Ends its subscriptions. A connection it was opened on stays open. */
  close(): Promise<void>;
}
