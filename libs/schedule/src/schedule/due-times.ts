import type { Cadence } from '@catena/events';
import { cadenceTimes } from '../cadence/cadence-times.ts';
import { isoInstant, millisecondsOf } from '../calendar/recurrence.ts';
import type { CollectionKnowledge } from './collection-knowledge.ts';
import { owedFirstRun } from './first-run.ts';
import type { LiveCadence, LiveSchedule } from './live-schedule.ts';
import type { ScheduleState } from './schedule-state.ts';

/** The due times of one cadence that nobody has decided upon yet. Instants as events have them. */
export interface DueTimes {
  readonly cadence: LiveCadence;
  readonly first: string;
  /** The last but one, when there is more than one. */
  readonly beforeLatest: string;
  readonly latest: string;
  readonly count: number;
  /** The first of them is the schedule's first run. */
  readonly firstRun: boolean;
}

/** What is due at an instant, from the highest cadence to the lowest. */
export function dueTimes(
  live: LiveSchedule,
  state: ScheduleState,
  knowledge: CollectionKnowledge,
  now: string,
): DueTimes[] {
  const owed = owedFirstRun(live, state, knowledge);
  return live.cadences.flatMap((cadence) => {
    const first = cadence.cadence === 'full' ? owed : undefined;
    const due = instantsUpTo(live, cadence, anchorOf(state, cadence, first), first, now);
    return due ? [due] : [];
  });
}

/** The next instant at which something of a schedule is due, be it past already; nothing when never. */
export function nextDueTime(
  live: LiveSchedule,
  state: ScheduleState,
  knowledge: CollectionKnowledge,
): string | undefined {
  const owed = owedFirstRun(live, state, knowledge);
  const instants = live.cadences.flatMap((cadence) => {
    const first = cadence.cadence === 'full' ? owed : undefined;
    const next = first ?? nextInstant(live, cadence, anchorOf(state, cadence, undefined));
    return next === undefined ? [] : [next];
  });
  return instants.reduce<string | undefined>(
    (earliest, instant) => (earliest === undefined || instant < earliest ? instant : earliest),
    undefined,
  );
}

/** Nothing at or before this instant is due any more. */
function anchorOf(state: ScheduleState, { cadence, since }: LiveCadence, first: string | undefined): string {
  const decided: Partial<Record<Cadence, string>> = state.decided;
  return [since, decided[cadence] ?? since, first ?? since].reduce((latest, instant) =>
    instant > latest ? instant : latest,
  );
}

function nextInstant(live: LiveSchedule, { rhythm }: LiveCadence, after: string): string | undefined {
  const next = cadenceTimes(rhythm, live.spec).next(millisecondsOf(after));
  return next === undefined ? undefined : isoInstant(next);
}

function instantsUpTo(
  live: LiveSchedule,
  cadence: LiveCadence,
  anchor: string,
  firstRun: string | undefined,
  now: string,
): DueTimes | undefined {
  if (firstRun !== undefined && firstRun > now) return undefined;
  const times = cadenceTimes(cadence.rhythm, live.spec);
  const end = millisecondsOf(now);
  let first = firstRun;
  let beforeLatest = firstRun;
  let latest = firstRun === undefined ? undefined : millisecondsOf(firstRun);
  let count = firstRun === undefined ? 0 : 1;
  for (let at = times.next(millisecondsOf(anchor)); at !== undefined && at <= end; at = times.next(at)) {
    first ??= isoInstant(at);
    if (latest !== undefined) beforeLatest = isoInstant(latest);
    latest = at;
    count += 1;
  }
  if (first === undefined || latest === undefined) return undefined;
  return {
    cadence,
    first,
    beforeLatest: beforeLatest ?? first,
    latest: isoInstant(latest),
    count,
    firstRun: firstRun !== undefined,
  };
}
