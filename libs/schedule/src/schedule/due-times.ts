import { cadenceTimes } from '../cadence/cadence-times.ts';
import { exclusionOf } from '../calendar/exclusion.ts';
import { isInWindow } from '../calendar/hour-window.ts';
import { isoInstant, millisecondsOf } from '../calendar/recurrence.ts';
import type { CollectionKnowledge } from './collection-knowledge.ts';
import { owedFirstRun } from './first-run.ts';
import { startOf } from './jitter.ts';
import type { LiveCadence, LiveSchedule } from './live-schedule.ts';
import type { ScheduleState } from './schedule-state.ts';

/** Due times of one cadence in a row. Instants as events have them. */
export interface DueRow {
  readonly first: string;
  /** The last but one; the first when there is one. */
  readonly beforeLatest: string;
  readonly latest: string;
  readonly count: number;
}

/** The due times of one cadence that nobody has decided upon yet. */
export interface DueTimes {
  readonly cadence: LiveCadence;
  readonly all: DueRow;
  /** Those in which it may run. */
  readonly runnable?: DueRow;
  readonly excluded?: DueRow & { readonly by: string };
  readonly outsideWindow?: DueRow;
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
  return earliest(instants);
}

/** The earliest of instants as events have them. */
export function earliest(instants: readonly string[]): string | undefined {
  return instants.reduce<string | undefined>(
    (best, instant) => (best === undefined || instant < best ? instant : best),
    undefined,
  );
}

/** Nothing at or before this instant is due any more. */
function anchorOf(state: ScheduleState, { cadence, since }: LiveCadence, first: string | undefined): string {
  return [since, state.decided[cadence] ?? since, first ?? since].reduce((latest, instant) =>
    instant > latest ? instant : latest,
  );
}

function nextInstant(live: LiveSchedule, { rhythm }: LiveCadence, after: string): string | undefined {
  const next = cadenceTimes(rhythm, live.spec).next(millisecondsOf(after));
  return next === undefined ? undefined : isoInstant(startOf(live, next));
}

function instantsUpTo(
  live: LiveSchedule,
  cadence: LiveCadence,
  anchor: string,
  firstRun: string | undefined,
  now: string,
): DueTimes | undefined {
  if (firstRun !== undefined && firstRun > now) return undefined;
  const { timeZone, calendar, policies } = live.spec;
  const times = cadenceTimes(cadence.rhythm, live.spec);
  const end = millisecondsOf(now);
  const all = new RowBuilder();
  const runnable = new RowBuilder();
  const excluded = new RowBuilder();
  const outside = new RowBuilder();
  let excludedBy = '';
  if (firstRun !== undefined) {
    all.add(millisecondsOf(firstRun));
    runnable.add(millisecondsOf(firstRun));
  }
  for (let at = times.next(millisecondsOf(anchor)); at !== undefined && at <= end; at = times.next(at)) {
    if (at + policies.jitter > end && startOf(live, at) > end) break;
    all.add(at);
    const by = exclusionOf(calendar.exclude, at, timeZone);
    if (by !== undefined) {
      excluded.add(at);
      excludedBy = by;
    } else if (policies.window && !isInWindow(policies.window, at, timeZone)) outside.add(at);
    else runnable.add(at);
  }
  if (!all.row) return undefined;
  return {
    cadence,
    all: all.row,
    ...(runnable.row ? { runnable: runnable.row } : {}),
    ...(excluded.row ? { excluded: { ...excluded.row, by: excludedBy } } : {}),
    ...(outside.row ? { outsideWindow: outside.row } : {}),
    firstRun: firstRun !== undefined,
  };
}

/** Collects a row without keeping its instants: after a long downtime there may be millions. */
class RowBuilder {
  #first = 0;
  #beforeLatest = 0;
  #latest = 0;
  #count = 0;

  add(at: number): void {
    if (this.#count === 0) this.#first = at;
    this.#beforeLatest = this.#count === 0 ? at : this.#latest;
    this.#latest = at;
    this.#count += 1;
  }

  get row(): DueRow | undefined {
    if (this.#count === 0) return undefined;
    return {
      first: isoInstant(this.#first),
      beforeLatest: isoInstant(this.#beforeLatest),
      latest: isoInstant(this.#latest),
      count: this.#count,
    };
  }
}
