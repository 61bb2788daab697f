import type { AggregateRef, EventData, EventType } from '@catena/events';

/** What a fold needs of an event; every recorded event is one. */
export type TimedEvent = {
  [T in EventType]: {
    readonly type: T;
    readonly aggregate: AggregateRef;
    /** When it was decided, ISO 8601 in UTC. */
    readonly time: string;
    readonly data: EventData<T>;
  };
}[EventType];
