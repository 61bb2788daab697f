import { aggregateFilter, type AggregateRef, type AnyNewEvent } from '@catena/events';
import { isConcurrencyConflict } from '../port/errors.ts';
import { EMPTY_HEAD, type AppendPart, type AppendResult, type EventLog } from '../port/event-log.ts';
import { wait } from '../wait.ts';
import { loadAggregate, type Folding, type LoadedAggregate } from './load-aggregate.ts';

/** An aggregate that a decision looks at. */
export interface Participant<S> extends Folding<S> {
  readonly aggregate: AggregateRef;
}

type StateOf<P> = P extends Participant<infer S> ? S : never;

/** The participants as they were loaded, under the names they were given. */
export type Loaded<P extends Record<string, Participant<unknown>>> = {
  [K in keyof P]: LoadedAggregate<StateOf<P[K]>>;
};

/** What a decision came to. */
export interface Transaction<P extends Record<string, Participant<unknown>>> {
  /** Undefined when nothing was decided. */
  readonly appended: AppendResult | undefined;
  readonly events: readonly AnyNewEvent[];
  /** The states that were decided on, before the events. */
  readonly loaded: Loaded<P>;
}

export interface TransactOptions {
  /** How often to decide again when somebody else was faster; default 20. */
  readonly attempts?: number;
}

const ATTEMPTS = 20;

/**
 * Loads aggregates, decides, and appends what was decided as one; decides again on newer states when somebody else
 * was faster. Events of aggregates that do not take part expect nothing there. A participant without events is
 * looked at, not held: when the decision depends on it staying as it is, let it have an event.
 * @throws ConcurrencyConflictError when others were faster every time; what `decide` and `append` throw.
 */
export async function transact<P extends Record<string, Participant<unknown>>>(
  log: EventLog,
  participants: P,
  decide: (loaded: Loaded<P>) => readonly AnyNewEvent[] | Promise<readonly AnyNewEvent[]>,
  options: TransactOptions = {},
): Promise<Transaction<P>> {
  for (let attempt = 1; ; attempt += 1) {
    const loaded = await loadAll(log, participants);
    const events = await decide(loaded);
    if (events.length === 0) return { appended: undefined, events, loaded };
    try {
      return { appended: await log.append(partsOf(events, participants, loaded)), events, loaded };
    } catch (thrown) {
      if (!isConcurrencyConflict(thrown) || attempt >= (options.attempts ?? ATTEMPTS)) throw thrown;
    }
    // Whoever lost waits a little and not for equally long, so that several do not keep meeting.
    await wait(Math.random() * 2 * attempt);
  }
}

async function loadAll<P extends Record<string, Participant<unknown>>>(
  log: EventLog,
  participants: P,
): Promise<Loaded<P>> {
  const entries = Object.entries(participants).map(
    async ([name, participant]) =>
      [name, await loadAggregate(log, participant.aggregate, participant)] as const,
  );
  return Object.fromEntries(await Promise.all(entries)) as Loaded<P>;
}

function partsOf<P extends Record<string, Participant<unknown>>>(
  events: readonly AnyNewEvent[],
  participants: P,
  loaded: Loaded<P>,
): AppendPart[] {
  const heads = new Map(
    Object.entries(participants).map(([name, { aggregate }]) => [
      aggregateFilter(aggregate),
      loaded[name]?.head,
    ]),
  );
  const parts = new Map<string, AppendPart & { events: AnyNewEvent[] }>();
  for (const event of events) {
    const key = aggregateFilter(event.aggregate);
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
