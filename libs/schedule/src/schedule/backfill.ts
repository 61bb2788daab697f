import { CatenaError, digestId, type AnyDomainEvent, type Cadence } from '@catena/events';
import { cadenceTimes } from '../cadence/cadence-times.ts';
import { exclusionOf } from '../calendar/exclusion.ts';
import { isInWindow } from '../calendar/hour-window.ts';
import { SECOND } from '../calendar/cron-calendar.ts';
import { isoInstant, millisecondsOf, type Recurrence } from '../calendar/recurrence.ts';
import { classedRows } from './classed-rows.ts';
import { isContinuous } from './continuous-cadence.ts';
import { CadenceAbsentError, SchedulePausedError } from './decide-command.ts';
import type { LiveCadence, LiveSchedule } from './live-schedule.ts';
import { firing, skipping } from './schedule-events.ts';
import { laneOf, lanes, type ScheduleState } from './schedule-state.ts';

/** Past times that a person wants made up for. Instants as events have them. */
export interface Backfill {
  /** Makes the runs its own: the same backfill again is the same runs. */
  readonly id: string;
  /** Not included. */
  readonly from: string;
  /** Included. */
  readonly to: string;
  readonly cadence?: Cadence | undefined;
}

/** What becomes of one time of a backfill. */
export interface BackfillRow {
  readonly cadence: Cadence;
  readonly nominal: string;
  readonly action: 'run' | 'covered' | 'excluded' | 'outsideWindow';
  readonly run?: string;
}

/** More rows than anybody reads; a row of seconds over years would have millions. */
const MOST_ROWS = 1_000;

/**
 * Makes up for past times. As no source can give the past yet, all times of the chain are made up for by one run of
 * the highest cadence, and those of copy-only by one (as `catchUp: all`, rule 3.5).
 * @throws SchedulePausedError
 * @throws CadenceAbsentError
 * @throws CatenaError `schedule.backfill-in-future`, `schedule.backfill-backwards`
 */
export function backfillSchedule(
  state: ScheduleState,
  live: LiveSchedule,
  backfill: Backfill,
  now: string,
): { rows: BackfillRow[]; count: number; events: AnyDomainEvent[] } {
  check(state, live, backfill, now);
  // What is continuous made up for itself when it went on.
  const chosen = live.cadences.filter(
    (one) => !isContinuous(one) && (backfill.cadence ?? one.cadence) === one.cadence,
  );
  const rows: BackfillRow[] = [];
  const ticks: AnyDomainEvent[] = [];
  const runs: AnyDomainEvent[] = [];
  let count = 0;
  for (const lane of lanes) {
    const found = chosen
      .filter(({ cadence }) => laneOf(cadence) === lane)
      .map((cadence) => ({ cadence, ...timesOf(live, cadence, backfill) }));
    const winner = found.find(({ latest }) => latest !== undefined);
    const run =
      winner?.latest === undefined
        ? undefined
        : `run-${digestId('backfill', live.uid, winner.cadence.cadence, winner.latest, backfill.id)}`;
    for (const { cadence, times, total, first, beforeLatest, latest, runnable } of found) {
      count += total;
      const wins = cadence === winner?.cadence;
      for (const time of times) {
        if (time.action !== 'run') rows.push(time);
        else if (wins && time.nominal === latest && run !== undefined) rows.push({ ...time, run });
        else rows.push({ ...time, action: 'covered', ...(run === undefined ? {} : { run }) });
      }
      const covered = runnable - (wins ? 1 : 0);
      if (covered === 0 || first === undefined || latest === undefined || run === undefined) continue;
      ticks.push(
        skipping(
          live,
          { cadence, first, latest: wins ? (beforeLatest ?? latest) : latest, count: covered },
          now,
          'superseded',
          run,
        ),
      );
    }
    if (winner?.latest === undefined || run === undefined) continue;
    const { fired, requested } = firing(live, winner.cadence, {
      nominal: winner.latest,
      actual: now,
      run,
      reason: 'backfill',
    });
    ticks.push(fired);
    runs.push(requested);
  }
  const inOrder = rows.toSorted((left, right) => (left.nominal < right.nominal ? -1 : 1));
  return { rows: inOrder.slice(-MOST_ROWS), count, events: [...ticks, ...runs] };
}

function check(state: ScheduleState, live: LiveSchedule, { from, to, cadence }: Backfill, now: string): void {
  if (state.paused) throw new SchedulePausedError(live.name, state.paused.reason);
  if (cadence !== undefined && !live.cadences.some((one) => one.cadence === cadence)) {
    throw new CadenceAbsentError(live, cadence);
  }
  if (to > now) {
    throw new CatenaError(
      'schedule.backfill-in-future',
      `A backfill up to ${to} would reach into the future.`,
      {
        remedy: `End it at ${now} or before.`,
      },
    );
  }
  if (from >= to) {
    throw new CatenaError('schedule.backfill-backwards', `A backfill from ${from} to ${to} has no times.`, {
      remedy: 'Give an end after the beginning.',
    });
  }
}

function timesOf(live: LiveSchedule, { cadence, rhythm }: LiveCadence, { from, to }: Backfill) {
  const { timeZone, calendar, policies } = live.spec;
  const due = cadenceTimes(rhythm, live.spec);
  const after = millisecondsOf(from);
  const end = millisecondsOf(to);
  const { runnable } = classedRows(live.spec, due, after, end);
  const times: BackfillRow[] = [];
  for (let at = due.next(newestFrom(due, after, end)); at !== undefined && at <= end; at = due.next(at)) {
    const excluded = exclusionOf(calendar.exclude, at, timeZone) !== undefined;
    const outside = policies.window !== undefined && !isInWindow(policies.window, at, timeZone);
    const action = excluded ? 'excluded' : outside ? 'outsideWindow' : 'run';
    times.push({ cadence, nominal: isoInstant(at), action });
  }
  return {
    times,
    total: due.row(after, end)?.count ?? 0,
    runnable: runnable?.count ?? 0,
    ...(runnable && {
      first: isoInstant(runnable.first),
      beforeLatest: isoInstant(runnable.beforeLatest),
      latest: isoInstant(runnable.latest),
    }),
  };
}

/** An instant after which at most `MOST_ROWS` times are left up to the end. */
function newestFrom(due: Recurrence, after: number, end: number): number {
  let low = after;
  let high = end;
  if ((due.row(low, end)?.count ?? 0) <= MOST_ROWS) return low;
  while (high - low > SECOND) {
    const middle = Math.floor((low + high) / 2);
    if ((due.row(middle, end)?.count ?? 0) > MOST_ROWS) low = middle;
    else high = middle;
  }
  return high;
}
