import { CatenaError, domainEvent, type AnyDomainEvent, type Cadence } from '@catena/events';
import type { CollectionKnowledge } from './collection-knowledge.ts';
import { dueTimes } from './due-times.ts';
import type { LiveCadence, LiveSchedule } from './live-schedule.ts';
import { firing, skipping } from './schedule-events.ts';
import type { ScheduleState } from './schedule-state.ts';

/** Something was asked of a paused schedule. */
export class SchedulePausedError extends CatenaError {
  constructor(schedule: string, reason: string | undefined) {
    const why = reason === undefined ? '' : ` (${reason})`;
    super('schedule.paused', `The schedule "${schedule}" is paused${why} and runs nothing.`, {
      remedy: `Resume it first: catena resume ${schedule}`,
    });
  }
}

/** A run of a cadence that the schedule does not have. */
export class CadenceAbsentError extends CatenaError {
  constructor(live: LiveSchedule, cadence: Cadence) {
    const names = live.cadences.map((each) => each.cadence).join(', ');
    super('schedule.cadence-absent', `The schedule "${live.name}" has no ${cadence} cadence.`, {
      remedy: `It has ${names}.`,
      details: { cadence },
    });
  }
}

/** Pauses a schedule; a paused one stays as it is, its reason too. */
export function pauseSchedule(
  state: ScheduleState,
  live: LiveSchedule,
  reason: string | undefined,
): AnyDomainEvent[] {
  if (state.paused) return [];
  const data = { schedule: live.name, ...(reason === undefined ? {} : { reason }) };
  return [domainEvent('schedule.paused', live.uid, data)];
}

/**
 * Resumes a schedule: due times after `now` fire again, those of the pause leave one event per cadence. A first full
 * that is still owed is not among them; it fires at the next tick.
 */
export function resumeSchedule(
  state: ScheduleState,
  live: LiveSchedule,
  knowledge: CollectionKnowledge,
  now: string,
): AnyDomainEvent[] {
  if (!state.paused) return [];
  const passed = dueTimes(live, state, knowledge, now).filter(({ firstRun }) => !firstRun);
  const waited = Object.values(state.waiting ?? {}).map(({ cadence, nominal }) =>
    skipping(live, { cadence: { cadence }, first: nominal, latest: nominal, count: 1 }, now, 'paused'),
  );
  return [
    ...waited,
    ...passed.map(({ cadence, all }) => skipping(live, { cadence, ...all }, now, 'paused')),
    domainEvent('schedule.resumed', live.uid, { schedule: live.name }),
  ];
}

/** What a person asks for, and the id its command gave the run. */
export interface RunNow {
  /** Default: the lowest conventional one the schedule has. */
  readonly cadence?: Cadence | undefined;
  readonly run: string;
}

/**
 * Runs one cadence at once; due times are not touched by it (rule 3.9).
 * @throws SchedulePausedError
 * @throws CadenceAbsentError
 */
export function runScheduleNow(
  state: ScheduleState,
  live: LiveSchedule,
  { cadence: wanted, run }: RunNow,
  now: string,
): AnyDomainEvent[] {
  if (state.paused) throw new SchedulePausedError(live.name, state.paused.reason);
  const { fired, requested } = firing(live, cadenceToRun(live, wanted), {
    nominal: now,
    actual: now,
    run,
    reason: 'runNow',
  });
  return [fired, requested];
}

const DEFAULT_ORDER: readonly Cadence[] = ['incremental', 'differential', 'full', 'log', 'copyOnly'];

function cadenceToRun(live: LiveSchedule, wanted: Cadence | undefined): LiveCadence {
  const order = wanted === undefined ? DEFAULT_ORDER : [wanted];
  for (const name of order) {
    const found = live.cadences.find(({ cadence }) => cadence === name);
    if (found) return found;
  }
  throw new CadenceAbsentError(live, wanted ?? 'full');
}
