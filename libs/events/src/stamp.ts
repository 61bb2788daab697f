import { aggregateTypeOf, type EventType } from './catalogue/catalogue.ts';
import { currentVersion } from './catalogue/versions.ts';
import type { AnyDomainEvent, AnyNewEvent, DomainEvent, EventContext } from './envelope.ts';
import { digestId } from './identity.ts';

/** Types the compiler cannot follow through a spread: the event of a type with the data of that type. */
export function domainEvent<T extends EventType>(
  type: T,
  aggregateId: string,
  data: DomainEvent<T>['data'],
): AnyDomainEvent {
  return { type, aggregateId, data } as AnyDomainEvent;
}

/**
 * Gives decided events their ids and context. Ids depend on the cause, the place in the decision and what is said, so
 * an append that is repeated carries the same ids and the log can tell; two that differ are never taken for one.
 */
export function stamp(events: readonly AnyDomainEvent[], context: EventContext): AnyNewEvent[] {
  return events.map(
    (event, index) =>
      ({
        ...context,
        id: digestId(
          'event',
          context.causationId,
          event.type,
          event.aggregateId,
          String(index),
          JSON.stringify(event.data),
        ),
        type: event.type,
        version: currentVersion(event.type),
        aggregate: { type: aggregateTypeOf(event.type), id: event.aggregateId },
        data: event.data,
      }) as AnyNewEvent,
  );
}
