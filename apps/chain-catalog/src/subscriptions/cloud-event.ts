import type { AnyRecordedEvent } from '@catena/events';

/** A CloudEvents 1.0 event in structured mode. */
export type CloudEvent = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

/** An event of the log as receivers get it: the attributes that the log stores, and its place in the log. */
export function cloudEventOf(event: AnyRecordedEvent): CloudEvent {
  return {
    specversion: '1.0',
    id: event.id,
    source: '/catena',
    type: event.type,
    subject: `${event.aggregate.type}/${event.aggregate.id}`,
    time: event.time,
    datacontenttype: 'application/json',
    schemaversion: String(event.version),
    sequence: String(event.sequence),
    actor: event.actor,
    correlationid: event.correlationId,
    causationid: event.causationId,
    data: event.data,
  };
}
