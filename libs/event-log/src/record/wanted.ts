import { parseEventSubject, type EventType } from '@catena/events';
import type { StoredEvent } from './stored-event.ts';

/** Decides by the subject alone, so that an event nobody asked for is never decoded. */
export function wantedBy(
  types: readonly EventType[] | undefined,
): (stored: Pick<StoredEvent, 'subject'>) => boolean {
  if (!types) return () => true;
  const wanted = new Set<string>(types);
  return (stored) => wanted.has(parseEventSubject(stored.subject).type);
}
