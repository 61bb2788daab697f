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
