import {
  checkEventData,
  currentVersion,
  EventNotUnderstoodError,
  eventSubject,
  instant,
  isEventType,
  type AnyNewEvent,
} from '@catena/events';
import { encodeHeaderValue } from './header-value.ts';
import { eventHash } from './event-hash.ts';
import { PREVIOUS_HEADER, type StoredHeaders } from './stored-event.ts';

/** An event ready for the wire. */
export interface EncodedEvent {
  readonly subject: string;
  readonly headers: StoredHeaders;
  readonly data: Uint8Array;
  readonly hash: string;
}

/**
 * An event as a CloudEvents 1.0 message in binary mode: attributes in headers, JSON as data.
 * @throws EventNotUnderstoodError when payload or envelope break their schema: what is stored once is stored for ever.
 */
export function encodeEvent(event: AnyNewEvent, previousHash: string): EncodedEvent {
  checkEnvelope(event);
  const data = Buffer.from(JSON.stringify(checkEventData(event.type, event.data)));
  const subject = eventSubject(event.aggregate, event.type);
  const headers: StoredHeaders = [
    ['ce-specversion', '1.0'],
    ['ce-id', encodeHeaderValue(event.id)],
    ['ce-source', '/catena'],
    ['ce-type', event.type],
    ['ce-subject', `${event.aggregate.type}/${event.aggregate.id}`],
    ['ce-time', event.time],
    ['ce-datacontenttype', 'application/json'],
    ['ce-schemaversion', String(event.version)],
    ['ce-actor', encodeHeaderValue(event.actor)],
    ['ce-correlationid', encodeHeaderValue(event.correlationId)],
    ['ce-causationid', encodeHeaderValue(event.causationId)],
    [PREVIOUS_HEADER, previousHash],
  ];
  return { subject, headers, data, hash: eventHash({ subject, headers, data }) };
}

function checkEnvelope(event: AnyNewEvent): void {
  const refuse = (why: string) => new EventNotUnderstoodError(event.type, event.version, why);
  if (!isEventType(event.type)) throw refuse('this build does not know the type');
  if (event.version !== currentVersion(event.type)) {
    throw refuse(`only version ${currentVersion(event.type)} is written`);
  }
  if (!instant.safeParse(event.time).success) {
    throw refuse(`its time "${event.time}" is not an ISO 8601 instant in UTC with milliseconds`);
  }
  for (const field of ['id', 'actor', 'correlationId', 'causationId'] as const) {
    if (event[field] === '') throw refuse(`its ${field} is empty`);
  }
}
