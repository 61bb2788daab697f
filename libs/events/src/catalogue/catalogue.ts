import type { z } from 'zod';
import { definitionEvents } from './definition-events.ts';
import { scheduleEvents } from './schedule-events.ts';
import { limitsEvents } from './limits-events.ts';
import { runEvents } from './run-events.ts';
import { backupEvents, collectionEvents, repositoryEvents } from './collection-events.ts';

/** The kinds of things that have a history of their own. */
export const aggregateTypes = [
  'definition',
  'schedule',
  'run',
  'collection',
  'backup',
  'repository',
  'limits',
] as const;
export type AggregateType = (typeof aggregateTypes)[number];

/** Every event type with the schema of its newest version. The source of docs/events.md. */
export const eventSchemas = {
  ...definitionEvents,
  ...scheduleEvents,
  ...runEvents,
  ...collectionEvents,
  ...backupEvents,
  ...repositoryEvents,
  ...limitsEvents,
} as const;

export type EventType = keyof typeof eventSchemas;
/** The payload of an event type, in its newest version. */
export type EventData<T extends EventType> = z.infer<(typeof eventSchemas)[T]>;

export const eventTypes = Object.keys(eventSchemas) as EventType[];

/** Whether this build knows the type. */
export function isEventType(type: string): type is EventType {
  return Object.hasOwn(eventSchemas, type);
}

/** The aggregate an event type belongs to: what stands before the dot. */
export function aggregateTypeOf(type: EventType): AggregateType {
  return type.slice(0, type.indexOf('.')) as AggregateType;
}
