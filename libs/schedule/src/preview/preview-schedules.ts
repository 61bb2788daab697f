import type { Cadence } from '@catena/events';
import { cadenceTimes } from '../cadence/cadence-times.ts';
import { dataCadences, effectiveCadences, type EffectiveCadence } from '../cadence/effective-cadences.ts';
import { clockChangeNote } from '../calendar/clock-change-note.ts';
import { durationText } from '../calendar/duration.ts';
import { exclusionOf } from '../calendar/exclusion.ts';
import { isInWindow, windowText } from '../calendar/hour-window.ts';
import {
  isoInstant,
  localTime,
  millisecondsOf,
  type InstantLimit,
  type Recurrence,
} from '../calendar/recurrence.ts';
import { isContinuous } from '../schedule/continuous-cadence.ts';
import type { ScheduleSpec } from '../definitions/kinds/schedule.ts';

/** One time at which a schedule does something, or would. */
export interface PreviewRow {
  readonly schedule: string;
  readonly cadence: Cadence;
  /** UTC. */
  readonly at: string;
  /** The same on the wall clock of the schedule's zone, with its offset. */
  readonly local: string;
  /** Why nothing runs then, or what a clock change did; empty when there is nothing to say. */
  readonly note: string;
}

export interface PreviewedSchedule {
  readonly name: string;
  readonly spec: ScheduleSpec;
}

interface Lane {
  readonly schedule: PreviewedSchedule;
  readonly cadence: EffectiveCadence;
  readonly times: Recurrence;
  next: number | undefined;
}

/**
 * The times of schedules strictly after an instant, oldest first, as far as definitions alone tell: first runs,
 * pauses and what is still running are the affair of a log. Nothing that a schedule names needs to exist.
 */
export function previewSchedules(
  schedules: readonly PreviewedSchedule[],
  from: string,
  limit: InstantLimit,
): PreviewRow[] {
  const start = millisecondsOf(from);
  const last = 'until' in limit ? millisecondsOf(limit.until) : Infinity;
  const count = 'count' in limit ? limit.count : Infinity;
  const lanes = schedules.flatMap((schedule) =>
    effectiveCadences(schedule.spec.cadences).flatMap((cadence): Lane[] => {
      // It has no times of its own: it is there all the time.
      if (isContinuous(cadence)) return [];
      const times = cadenceTimes(cadence.rhythm, schedule.spec);
      return [{ schedule, cadence, times, next: times.next(start) }];
    }),
  );
  const rows: PreviewRow[] = [];
  while (rows.length < count) {
    const lane = earliest(lanes);
    if (lane?.next === undefined || lane.next > last) return rows;
    rows.push(rowOf(lane, lane.next, lanes));
    lane.next = lane.times.next(lane.next);
  }
  return rows;
}

/** Of equal ones the first, so that a schedule's cadences come from the highest to the lowest. */
function earliest(lanes: readonly Lane[]): Lane | undefined {
  return lanes.reduce<Lane | undefined>(
    (best, lane) =>
      lane.next !== undefined && (best?.next === undefined || lane.next < best.next) ? lane : best,
    undefined,
  );
}

function rowOf(lane: Lane, at: number, lanes: readonly Lane[]): PreviewRow {
  const { schedule, cadence } = lane;
  const { timeZone } = schedule.spec;
  const instant = isoInstant(at);
  return {
    schedule: schedule.name,
    cadence: cadence.cadence,
    at: instant,
    local: localTime(instant, timeZone),
    note: notesOn(lane, at, lanes).join('; '),
  };
}

function notesOn({ schedule, cadence }: Lane, at: number, lanes: readonly Lane[]): string[] {
  const { timeZone, calendar, policies } = schedule.spec;
  const excluded = exclusionOf(calendar.exclude, at, timeZone);
  const moved = clockChangeNote(cadence.rhythm, timeZone, at, calendar.dst);
  const notes = moved === undefined ? [] : [moved];
  if (excluded !== undefined) return [...notes, `does not run: excluded by ${excluded}`];
  const { window, jitter } = policies;
  if (window && !isInWindow(window, at, timeZone)) {
    return [...notes, `does not run: outside the window ${windowText(window)}`];
  }
  const by = supersededBy(schedule, cadence.cadence, at, lanes);
  if (by !== undefined) return [...notes, `does not run: superseded by ${by}`];
  return jitter === 0 ? notes : [...notes, `starts up to ${durationText(jitter)} later`];
}

/** The highest data cadence of the schedule that names the same instant (rule 3.4). */
function supersededBy(
  schedule: PreviewedSchedule,
  cadence: Cadence,
  at: number,
  lanes: readonly Lane[],
): Cadence | undefined {
  const rank = dataCadences.indexOf(cadence);
  return dataCadences
    .slice(0, Math.max(rank, 0))
    .find((higher) =>
      lanes.some(
        (lane) =>
          lane.schedule === schedule && lane.cadence.cadence === higher && lane.times.next(at - 1) === at,
      ),
    );
}
