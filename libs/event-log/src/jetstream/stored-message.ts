import type { JsMsg, StoredMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/nats-core';
import { isEventHeader, type StoredEvent, type StoredHeaders } from '../record/stored-event.ts';

/** A message of a consumer as the event it stores. */
export function eventOfDelivery(message: JsMsg): StoredEvent {
  return {
    sequence: message.seq,
    subject: message.subject,
    headers: eventHeaders(message.headers),
    data: message.data,
    storedAt: message.time.toISOString(),
  };
}

/** A message that was asked for by itself. */
export function eventOfStored(message: StoredMsg): StoredEvent {
  return {
    sequence: message.seq,
    subject: message.subject,
    headers: eventHeaders(message.header),
    data: message.data,
    storedAt: message.time.toISOString(),
  };
}

function eventHeaders(headers: MsgHdrs | undefined): StoredHeaders {
  const kept: [string, string][] = [];
  for (const [name, values] of headers ?? []) {
    if (isEventHeader(name)) for (const value of values) kept.push([name, value]);
  }
  return kept;
}
