import { CatenaError } from './errors/catena-error.ts';
import type { AggregateRef } from './envelope.ts';
import { aggregateTypes, type AggregateType, type EventType } from './catalogue/catalogue.ts';

/** Everything of the log lies below this token. */
export const EVENT_SUBJECT_ROOT = 'catena.events';

const TOKEN = /^[A-Za-z0-9_-]{1,128}$/;

/** `catena.events.<aggregate>.<id>.<event>` (architecture.md section 3). */
export function eventSubject(aggregate: AggregateRef, type: EventType): string {
  return aggregateSubject(aggregate, type.slice(type.indexOf('.') + 1));
}

/** Every event of one aggregate: the filter of its expected version. */
export function aggregateFilter(aggregate: AggregateRef): string {
  return aggregateSubject(aggregate, '>');
}

function aggregateSubject(aggregate: AggregateRef, last: string): string {
  if (!TOKEN.test(aggregate.id)) {
    throw new CatenaError(
      'events.id-not-a-token',
      `The ${aggregate.type} id "${aggregate.id}" cannot be part of a subject.`,
      {
        remedy: 'Use 1 to 128 letters, digits, "-" or "_".',
      },
    );
  }
  return `${EVENT_SUBJECT_ROOT}.${aggregate.type}.${aggregate.id}.${last}`;
}

/** The aggregate and event name of a subject of the log. */
export function parseEventSubject(subject: string): { aggregate: AggregateRef; type: string } {
  const [root, events, aggregate, id, event, ...rest] = subject.split('.');
  if (
    `${root}.${events}` !== EVENT_SUBJECT_ROOT ||
    !id ||
    !event ||
    rest.length > 0 ||
    !isAggregateType(aggregate)
  ) {
    throw new CatenaError('events.subject-unknown', `"${subject}" is not a subject of the event log.`);
  }
  return { aggregate: { type: aggregate, id }, type: `${aggregate}.${event}` };
}

function isAggregateType(token: string | undefined): token is AggregateType {
  return (aggregateTypes as readonly (string | undefined)[]).includes(token);
}
