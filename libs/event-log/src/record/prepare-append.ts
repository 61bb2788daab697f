import { aggregateFilter } from '@catena/events';
import { AppendRefusedError } from '../port/errors.ts';
import type { AggregateHead, AppendPart, AppendResult, PreparedAppend } from '../port/event-log.ts';
import { encodeEvent, type EncodedEvent } from './encode-event.ts';
import { HASH_PATTERN } from './event-hash.ts';

/** Most events that one append may hold: the server's limit of an atomic batch. */
export const MAX_EVENTS_PER_APPEND = 1000;

/** One message of an append. */
export interface PreparedMessage extends EncodedEvent {
  readonly id: string;
  /** Index of the part it belongs to. */
  readonly part: number;
  /** Carried by the first message of each part: the last sequence over the aggregate's subjects. */
  readonly expectation?: { readonly filter: string; readonly sequence: number };
}

/**
 * Checks an append and encodes its events, each with the hash of the one before it.
 * @throws AppendRefusedError when the parts contradict each other; EventNotUnderstoodError for payloads.
 */
export function prepareAppend(parts: readonly AppendPart[]): PreparedMessage[] {
  checkParts(parts);
  return parts.flatMap((part, index) => {
    let previous = part.expected.hash;
    return part.events.map((event, position) => {
      const encoded = encodeEvent(event, previous);
      previous = encoded.hash;
      return {
        ...encoded,
        id: event.id,
        part: index,
        ...(position === 0
          ? { expectation: { filter: aggregateFilter(part.aggregate), sequence: part.expected.sequence } }
          : {}),
      };
    });
  });
}

/** What is to be appended, of an append that may have been prepared. */
export function partsOf(append: readonly AppendPart[] | PreparedAppend): readonly AppendPart[] {
  return 'parts' in append ? append.parts : append;
}

/** The result of messages that were stored one after the other, the first at `firstSequence`. */
export function resultOfStored(messages: readonly PreparedMessage[], firstSequence: number): AppendResult {
  const heads: AggregateHead[] = [];
  messages.forEach((message, index) => {
    heads[message.part] = { sequence: firstSequence + index, hash: message.hash };
  });
  return { sequence: firstSequence + messages.length - 1, heads, repeated: false };
}

function checkParts(parts: readonly AppendPart[]): void {
  const refuse = (why: string) =>
    new AppendRefusedError(why, {
      remedy: 'Give one part for each aggregate, with its head and its own events.',
    });
  const ids = new Set<string>();
  const aggregates = new Set<string>();
  for (const { aggregate, expected, events } of parts) {
    const name = `${aggregate.type} "${aggregate.id}"`;
    if (aggregates.has(name)) throw refuse(`it has two parts for the ${name}`);
    aggregates.add(name);
    if (events.length === 0) throw refuse(`its part for the ${name} has no events`);
    if (expected.sequence === 0 ? expected.hash !== '' : !HASH_PATTERN.test(expected.hash)) {
      throw refuse(`the expected head of the ${name} has a sequence and a hash that do not belong together`);
    }
    for (const event of events) {
      if (event.aggregate.type !== aggregate.type || event.aggregate.id !== aggregate.id) {
        throw refuse(`the event ${event.type} of another aggregate is in the part for the ${name}`);
      }
      if (ids.has(event.id)) throw refuse(`two of its events have the id "${event.id}"`);
      ids.add(event.id);
    }
  }
  if (ids.size === 0) throw refuse('it has no events');
  if (ids.size > MAX_EVENTS_PER_APPEND) {
    throw refuse(`it has ${ids.size} events, and at most ${MAX_EVENTS_PER_APPEND} can be stored at once`);
  }
}
