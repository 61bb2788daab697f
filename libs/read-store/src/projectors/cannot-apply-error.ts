import { CatenaError, type RecordedEvent } from '@catena/events';

/** An event that does not fit what was before it: the projection stops here and its answers are marked stale. */
export class CannotApplyError extends CatenaError {
  readonly sequence: number;

  constructor(event: Pick<RecordedEvent, 'sequence' | 'type' | 'aggregate'>, why: string) {
    super(
      'read-store.cannot-apply',
      `Event ${event.sequence} (${event.type} of ${event.aggregate.type} "${event.aggregate.id}") cannot be applied: ${why}.`,
      {
        remedy: 'Check the log with "catena log verify"; nothing was skipped.',
        details: { sequence: event.sequence, type: event.type },
      },
    );
    this.sequence = event.sequence;
  }
}
