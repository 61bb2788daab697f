import { z } from 'zod';
import { CatenaError } from '../errors/catena-error.ts';
import { eventSchemas, isEventType, type EventData, type EventType } from './catalogue.ts';

/** Lifts a payload of one version to the next. Old events are lifted when read, never rewritten. */
export type Upcaster = (data: unknown) => unknown;

/** Per type the steps from version 1 upwards: `[0]` lifts 1 to 2. A type without steps is at version 1. */
const upcasters: Partial<Record<EventType, readonly Upcaster[]>> = {};

/** Lifts a payload from its version through every step that is left. */
export function liftData(steps: readonly Upcaster[], version: number, data: unknown): unknown {
  return steps.slice(version - 1).reduce((value, lift) => lift(value), data);
}

/** The version that this build writes. */
export function currentVersion(type: EventType): number {
  return (upcasters[type]?.length ?? 0) + 1;
}

/** An event that this build must not guess about: whoever reads it stops (architecture.md section 3). */
export class EventNotUnderstoodError extends CatenaError {
  constructor(type: string, version: number, why: string) {
    super('events.not-understood', `Event ${type} version ${version}: ${why}.`, {
      remedy: 'Run a build that knows this event; nothing was skipped.',
      details: { type, version },
    });
  }
}

/**
 * Checks a payload as it came from the log and lifts it to the newest version.
 * @throws EventNotUnderstoodError for unknown types, newer versions and payloads that break their schema.
 */
export function readEventData(type: string, version: number, data: unknown): EventData<EventType> {
  if (!isEventType(type))
    throw new EventNotUnderstoodError(type, version, 'this build does not know the type');
  const newest = currentVersion(type);
  if (version > newest)
    throw new EventNotUnderstoodError(type, version, `this build knows versions up to ${newest}`);
  const lifted = liftData(upcasters[type] ?? [], version, data);
  const parsed = eventSchemas[type].safeParse(lifted);
  if (!parsed.success) throw new EventNotUnderstoodError(type, version, z.prettifyError(parsed.error));
  return parsed.data;
}

/**
 * Checks a payload before it is written.
 * @throws EventNotUnderstoodError naming every field that is wrong.
 */
export function checkEventData<T extends EventType>(type: T, data: EventData<T>): EventData<T> {
  const parsed = eventSchemas[type].safeParse(data);
  if (!parsed.success)
    throw new EventNotUnderstoodError(type, currentVersion(type), z.prettifyError(parsed.error));
  return parsed.data as EventData<T>;
}
