import {
  aggregateTypeOf,
  stamp,
  type AggregateRef,
  type AnyDomainEvent,
  type AnyNewEvent,
  type EventContext,
} from '@catena/events';
import {
  EMPTY_HEAD,
  isConcurrencyConflict,
  type AggregateHead,
  type AppendPart,
  type AppendResult,
  type EventLog,
  type PreparedAppend,
} from '@catena/event-log';
import { pause } from '../lifecycle/pause.ts';

/** Where the aggregates of a decision stood when it was made; what is not named is expected not to exist. */
export interface ExpectedHead {
  readonly aggregate: AggregateRef;
  readonly head: AggregateHead;
}

/** Who and why: of the whole decision, or of each of its events when they concern several runs. */
export type ContextOf = EventContext | ((event: AnyDomainEvent) => EventContext);

/** Appends a decision that may span aggregates as one: all of it, or a conflict and nothing. */
export async function appendDecided(
  log: EventLog,
  events: readonly AnyDomainEvent[],
  expected: readonly ExpectedHead[],
  context: ContextOf,
): Promise<AppendResult> {
  return await appendInSteps(log, [events], expected, context);
}

/** As `appendDecided`, up to the moment of sending: what is decided ahead is sent when its time has come. */
export function prepareDecided(
  log: EventLog,
  events: readonly AnyDomainEvent[],
  expected: readonly ExpectedHead[],
  context: ContextOf,
): PreparedAppend {
  return log.prepare(partsOf(stamped(events, context), headsOf(expected)));
}

/**
 * Appends the steps of one decision in order, each as one append that is true by itself. The answer is the last
 * step's. A conflict leaves the steps before it; the decision is made again from there.
 */
export async function appendInSteps(
  log: EventLog,
  steps: readonly (readonly AnyDomainEvent[])[],
  expected: readonly ExpectedHead[],
  context: ContextOf,
): Promise<AppendResult> {
  const heads = headsOf(expected);
  let result: AppendResult = { sequence: 0, heads: [], repeated: true };
  for (const step of steps) {
    if (step.length === 0) continue;
    const parts = partsOf(stamped(step, context), heads);
    result = await log.append(parts);
    for (const [index, { aggregate }] of parts.entries()) {
      const head = result.heads[index];
      if (head !== undefined) heads.set(keyOf(aggregate), head);
    }
  }
  return result;
}

function headsOf(expected: readonly ExpectedHead[]): Map<string, AggregateHead> {
  return new Map(expected.map(({ aggregate, head }) => [keyOf(aggregate), head]));
}

function stamped(events: readonly AnyDomainEvent[], context: ContextOf): AnyNewEvent[] {
  if (typeof context !== 'function') return stamp(events, context);
  return events.flatMap((event) => stamp([event], context(event)));
}

function partsOf(
  events: readonly AnyNewEvent[],
  heads: ReadonlyMap<string, AggregateHead>,
): readonly AppendPart[] {
  const parts = new Map<string, AppendPart & { events: AnyNewEvent[] }>();
  for (const event of events) {
    const key = keyOf(event.aggregate);
    const part = parts.get(key) ?? {
      aggregate: event.aggregate,
      expected: heads.get(key) ?? EMPTY_HEAD,
      events: [],
    };
    part.events.push(event);
    parts.set(key, part);
  }
  return [...parts.values()];
}

/** The aggregates that a decision touches. */
export function aggregatesOf(events: readonly AnyDomainEvent[]): AggregateRef[] {
  const found = new Map<string, AggregateRef>();
  for (const event of events) {
    const aggregate = { type: aggregateTypeOf(event.type), id: event.aggregateId };
    found.set(keyOf(aggregate), aggregate);
  }
  return [...found.values()];
}

const TRIES = 25;

/** Loads, decides and appends again as long as somebody else was faster; `work` must load anew each time. */
export async function untilNoConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isConcurrencyConflict(error) || tried === TRIES) throw error;
      await pause(Math.random() * 2 * tried);
    }
  }
}

function keyOf(aggregate: AggregateRef): string {
  return `${aggregate.type}/${aggregate.id}`;
}
