import { parseEventSubject, readEventData, type AnyRecordedEvent } from '@catena/events';
import { UnreadableEventError } from '../port/errors.ts';
import { decodeHeaderValue } from './header-value.ts';
import { eventHash } from './event-hash.ts';
import { PREVIOUS_HEADER, RECORDED_AT_HEADER, type StoredEvent } from './stored-event.ts';

/**
 * Reads a stored event, checks it against its schema and lifts it to the newest version.
 * @throws UnreadableEventError with the sequence.
 */
export function decodeEvent(stored: StoredEvent): AnyRecordedEvent {
  try {
    return decode(stored);
  } catch (thrown) {
    throw new UnreadableEventError(stored.sequence, stored.subject, thrown);
  }
}

function decode(stored: StoredEvent): AnyRecordedEvent {
  const headers = new Map(stored.headers);
  const required = (name: string) => {
    const value = headers.get(name);
    if (value === undefined) throw new Error(`it has no header "${name}"`);
    return decodeHeaderValue(value);
  };
  const { aggregate, type } = parseEventSubject(stored.subject);
  if (required('ce-type') !== type)
    throw new Error(`its type is "${required('ce-type')}", unlike its subject`);
  const version = Number(required('ce-schemaversion'));
  if (!Number.isSafeInteger(version) || version < 1)
    throw new Error('its schema version is not a positive integer');
  return {
    id: required('ce-id'),
    type,
    version,
    aggregate,
    time: required('ce-time'),
    actor: required('ce-actor'),
    correlationId: required('ce-correlationid'),
    causationId: required('ce-causationid'),
    data: readEventData(type, version, parseData(stored.data)),
    sequence: stored.sequence,
    recordedAt: headers.get(RECORDED_AT_HEADER) ?? stored.storedAt,
    previousHash: headers.get(PREVIOUS_HEADER) ?? '',
    hash: eventHash(stored),
  } as AnyRecordedEvent;
}

function parseData(data: Uint8Array): unknown {
  return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')) as unknown;
}

/** The event's id without reading the rest of it; undefined when it has none. */
export function storedEventId(stored: Pick<StoredEvent, 'headers'>): string | undefined {
  const value = stored.headers.find(([name]) => name === 'ce-id')?.[1];
  return value === undefined ? undefined : decodeHeaderValue(value);
}
