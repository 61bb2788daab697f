import { cadenceTimes } from '../cadence/cadence-times.ts';
import { RowBuilder, type InstantRow } from '../calendar/instant-row.ts';
import { isoInstant, millisecondsOf, type Recurrence } from '../calendar/recurrence.ts';
import { classedRows } from './classed-rows.ts';
import { isContinuous, isHeldBack } from './continuous-cadence.ts';
import { owedFirstRun } from './first-run.ts';
import { startOf } from './jitter.ts';
import type { LiveCadence, LiveSchedule } from './live-schedule.ts';
import type { ScheduleKnowledge } from './schedule-knowledge.ts';
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
  knowledge: ScheduleKnowledge,
  now: string,
): DueTimes[] {
  const owed = owedFirstRun(live, state, knowledge);
  return live.cadences.flatMap((cadence) => {
    if (isHeldBack(live, cadence, knowledge)) return [];
    if (isContinuous(cadence)) return dueNow(live, state, cadence, now);
    const first = cadence.cadence === 'full' ? owed : undefined;
    const due = instantsUpTo(live, cadence, anchorOf(state, cadence, first), first, now);
    return due ? [due] : [];
  });
}

/** The next instant at which something of a schedule is due, be it past already; nothing when never. */
export function nextDueTime(
  live: LiveSchedule,
  state: ScheduleState,
  knowledge: ScheduleKnowledge,
): string | undefined {
  const owed = owedFirstRun(live, state, knowledge);
  const instants = live.cadences.flatMap((cadence) => {
    if (isHeldBack(live, cadence, knowledge)) return [];
    const first = cadence.cadence === 'full' ? owed : undefined;
    const next = first ?? nextInstant(live, cadence, anchorOf(state, cadence, undefined));
    return next === undefined ? [] : [next];
  });
  return earliest(instants);
}

/** What is continuous has one due time, the newest; hours and exclusions do not hold it. */
function dueNow(live: LiveSchedule, state: ScheduleState, cadence: LiveCadence, now: string): DueTimes[] {
  const after = millisecondsOf(anchorOf(state, cadence, undefined));
  const row = cadenceTimes(cadence.rhythm, live.spec).row(after, millisecondsOf(now));
  if (row === undefined) return [];
  const { latest } = dueRow(row);
  const due: DueRow = { first: latest, beforeLatest: latest, latest, count: 1 };
  return [{ cadence, all: due, runnable: due, firstRun: false }];
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

function nextInstant(live: LiveSchedule, cadence: LiveCadence, after: string): string | undefined {
  const next = cadenceTimes(cadence.rhythm, live.spec).next(millisecondsOf(after));
  if (next === undefined) return undefined;
  return isoInstant(isContinuous(cadence) ? next : startOf(live, next));
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
  const after = millisecondsOf(anchor);
  const upTo = begunBy(live, times, after, millisecondsOf(now));
  const all = new RowBuilder();
  const runnable = new RowBuilder();
  if (firstRun !== undefined) {
    all.add(millisecondsOf(firstRun));
    runnable.add(millisecondsOf(firstRun));
  }
  all.append(times.row(after, upTo));
  if (!all.row) return undefined;
  const classed = classedRows(live.spec, times, after, upTo);
  runnable.append(classed.runnable);
  return {
    cadence,
    all: dueRow(all.row),
    ...(runnable.row ? { runnable: dueRow(runnable.row) } : {}),
    ...(classed.excluded ? { excluded: { ...dueRow(classed.excluded), by: classed.excluded.by } } : {}),
    ...(classed.outsideWindow ? { outsideWindow: dueRow(classed.outsideWindow) } : {}),
    firstRun: firstRun !== undefined,
  };
}

/**
 * Up to where nominal instants have begun. Jitter never passes the next instant, so only the latest of them may still
 * have to wait for its own.
 */
function begunBy(live: LiveSchedule, times: Recurrence, after: number, now: number): number {
  if (live.spec.policies.jitter === 0) return now;
  const latest = times.row(after, now)?.latest;
  return latest !== undefined && startOf(live, latest) > now ? latest - 1 : now;
}

function dueRow({ first, beforeLatest, latest, count }: InstantRow): DueRow {
  return {
    first: isoInstant(first),
    beforeLatest: isoInstant(beforeLatest),
    latest: isoInstant(latest),
    count,
  };
}
