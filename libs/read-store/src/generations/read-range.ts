import type { AnyRecordedEvent } from '@catena/events';
import type { EventLog } from '@catena/event-log';

/** The events of a short range, both ends included; none when it is empty. */
export async function readRange(log: EventLog, from: number, to: number): Promise<AnyRecordedEvent[]> {
  const events: AnyRecordedEvent[] = [];
  if (from > to) return events;
  for await (const event of log.read({ from, to })) events.push(event);
  return events;
}
