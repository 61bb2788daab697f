import { AppendRefusedError } from '../port/errors.ts';
import { RECORDED_AT_HEADER, type StoredEvent } from './stored-event.ts';

/** The event as it is written to another log: the time it was first stored goes along as a header. */
export function restoredEvent(event: StoredEvent): StoredEvent {
  if (event.headers.some(([name]) => name === RECORDED_AT_HEADER)) return event;
  return { ...event, headers: [...event.headers, [RECORDED_AT_HEADER, event.storedAt]] };
}

/** The error of events that do not continue a log. */
export function notNext(first: number | undefined, last: number): AppendRefusedError {
  return new AppendRefusedError(
    `events from ${first ?? 'nowhere'} on cannot be restored to a log that ends at ${last}`,
    {
      remedy: 'Restore to an empty log, all events in order, while nothing else appends to it.',
      details: { first, last },
    },
  );
}
