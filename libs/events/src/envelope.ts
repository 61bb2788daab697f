import type { AggregateType, EventData, EventType } from './catalogue/catalogue.ts';

/** The thing whose history an event belongs to; its id is one subject token. */
export interface AggregateRef {
  readonly type: AggregateType;
  readonly id: string;
}

/** What a decider returns: what happened, to whom; without clock, ids or actor. */
export interface DomainEvent<T extends EventType = EventType> {
  readonly type: T;
  readonly aggregateId: string;
  readonly data: EventData<T>;
}

/** Who and why; given from outside, the same for every event of one decision. */
export interface EventContext {
  /** ISO 8601 instant with milliseconds, UTC. */
  readonly time: string;
  /** `person:<name>` or `<service>:<instance>`. */
  readonly actor: string;
  /** The run, or the command's id where there is no run. */
  readonly correlationId: string;
  /** Id of the event or the command that led to it. */
  readonly causationId: string;
}

/** An event ready to be appended. */
export interface NewEvent<T extends EventType = EventType> extends EventContext {
  /** Deterministic: the same decision made again has the same id, so the log can tell a repetition. */
  readonly id: string;
  readonly type: T;
  readonly version: number;
  readonly aggregate: AggregateRef;
  readonly data: EventData<T>;
}

/** An event as the log holds it, lifted to the newest version of its type. */
export interface RecordedEvent<T extends EventType = EventType> extends NewEvent<T> {
  /** Position in the log, from 1. */
  readonly sequence: number;
  /** The log server's own time of storing, ISO 8601. */
  readonly recordedAt: string;
  /** Hash of the aggregate's event before this one; empty for the first. */
  readonly previousHash: string;
  /** Hash of this event, over the bytes as stored. */
  readonly hash: string;
}

/** `RecordedEvent` as a union over the types, so that a switch over `type` narrows `data`. */
export type AnyRecordedEvent = { [T in EventType]: RecordedEvent<T> }[EventType];
/** `DomainEvent` as a union over the types. */
export type AnyDomainEvent = { [T in EventType]: DomainEvent<T> }[EventType];
/** `NewEvent` as a union over the types. */
export type AnyNewEvent = { [T in EventType]: NewEvent<T> }[EventType];
