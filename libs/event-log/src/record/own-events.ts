import { aggregateFilter } from '@catena/events';
import { AppendRefusedError } from '../port/errors.ts';
import type { AggregateHead, AppendPart, AppendResult } from '../port/event-log.ts';
import type { PreparedMessage } from './prepare-append.ts';

/** Where an event of ours was found in the log. */
export type FoundEvents = ReadonlyMap<string, AggregateHead>;

/**
 * The result of an append that the log already has; undefined when it has none of its events.
 * An append is stored whole or not at all, so some without the others is another decision under the same ids.
 * @throws AppendRefusedError then.
 */
export function resultOfRepeated(
  parts: readonly AppendPart[],
  messages: readonly PreparedMessage[],
  found: FoundEvents,
): AppendResult | undefined {
  const present = messages.filter((message) => found.has(message.id));
  if (present.length === 0) return undefined;
  if (present.length < messages.length) {
    const first = present[0]?.id ?? '';
    throw new AppendRefusedError(
      `its event "${first}" is in the log already, at ${found.get(first)?.sequence}, without the others of the append`,
      { remedy: 'Load the aggregates again and decide again, as a new command.' },
    );
  }
  const heads = parts.map((part) => {
    const last = part.events.at(-1);
    const head = last && found.get(last.id);
    if (!head) throw new RangeError(`no head for ${aggregateFilter(part.aggregate)}`);
    return head;
  });
  return { sequence: Math.max(...heads.map((head) => head.sequence)), heads, repeated: true };
}
