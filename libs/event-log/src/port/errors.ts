import { CatenaError, type AggregateRef } from '@catena/events';

/** Somebody else appended to the aggregate first. Load it again and decide again. */
export class ConcurrencyConflictError extends CatenaError {
  readonly aggregate: AggregateRef;

  constructor(aggregate: AggregateRef, expected: number, actual?: number) {
    super(
      'event-log.conflict',
      `The ${aggregate.type} "${aggregate.id}" was expected at sequence ${expected}${actual === undefined ? ' and is not there any more' : ` and is at ${actual}`}.`,
      {
        remedy: 'Load the aggregate again and decide again.',
        retryable: true,
        details: { aggregate, expected, actual },
      },
    );
    this.aggregate = aggregate;
  }
}

export function isConcurrencyConflict(thrown: unknown): thrown is ConcurrencyConflictError {
  return thrown instanceof ConcurrencyConflictError;
}

/** An append that cannot be stored as it is. Nothing was written. */
export class AppendRefusedError extends CatenaError {
  constructor(
    why: string,
    options: { remedy: string; retryable?: boolean; cause?: unknown; details?: Record<string, unknown> },
  ) {
    super('event-log.append-refused', `The append was refused: ${why}.`, options);
  }
}

/** The log did not answer within the patience of the caller. Whether an append was stored is not known; repeating it is safe. */
export class LogUnavailableError extends CatenaError {
  constructor(what: string, cause?: unknown) {
    super(
      'event-log.unavailable',
      `The event log did not answer: ${what}${cause instanceof Error ? ` (${cause.message})` : ''}.`,
      { remedy: 'Check that the NATS server runs and can be reached; then repeat.', retryable: true, cause },
    );
  }
}

/**
 * The server answers questions and stores nothing. Whether an append was stored is not known; repeating it is safe.
 * A nats-server whose disk was full is like this until it is started again, also when there is room.
 */
export class LogNotStoringError extends CatenaError {
  constructor(cause?: unknown) {
    super(
      'event-log.not-storing',
      'The event log takes nothing in: the NATS server answers, but does not say that it stored what it was sent.',
      {
        remedy:
          'Look at its log and at the disk of its streams, which is probably full. Make room, start the server again if it does not go on by itself, then repeat.',
        retryable: true,
        cause,
      },
    );
  }
}

/** An event that this build must not guess about. Whoever reads it stops. */
export class UnreadableEventError extends CatenaError {
  readonly sequence: number;

  constructor(sequence: number, subject: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super('event-log.unreadable-event', `Event ${sequence} (${subject}) cannot be read: ${why}`, {
      remedy:
        cause instanceof CatenaError && cause.remedy
          ? cause.remedy
          : 'Run "catena log verify"; nothing was skipped.',
      details: { sequence, subject },
      cause,
    });
    this.sequence = sequence;
  }
}

/** An event does not carry the hash of the one before it on its aggregate: something was changed, lost or added. */
export class BrokenChainError extends CatenaError {
  readonly sequence: number;

  constructor(sequence: number, aggregate: AggregateRef, expected: string, found: string) {
    super(
      'event-log.chain-broken',
      `Event ${sequence} of the ${aggregate.type} "${aggregate.id}" does not follow the event before it: it names the hash "${found}", not "${expected}".`,
      {
        remedy: 'Run "catena log verify", and compare the log with its export; nothing was skipped.',
        details: { sequence, aggregate, expected, found },
      },
    );
    this.sequence = sequence;
  }
}

/** Events are missing from the log, which never happens to an append-only log by itself. */
export class LogGapError extends CatenaError {
  constructor(expected: number, found: number) {
    super('event-log.gap', `The log has no events ${expected} to ${found - 1}.`, {
      remedy: 'Run "catena log verify", and bring the log back from its export.',
      details: { expected, found },
    });
  }
}

/** A reader remembers more of the log than there is. */
export class PositionBeyondLogError extends CatenaError {
  constructor(position: number, last: number) {
    super(
      'event-log.position-beyond',
      `The log ends at ${last}, but events up to ${position} were read from it before.`,
      {
        remedy:
          "This is another log, or it lost events. Connect to the right server, or import the log's export; then rebuild what was read.",
        details: { position, last },
      },
    );
  }
}
