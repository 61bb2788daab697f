import { millisecondsOf, recurrence, type Recurrence } from '../calendar/recurrence.ts';
import type { ScheduleSpec } from '../definitions/kinds/schedule.ts';

/** The nominal instants of a rhythm within a schedule: its zone, its rule for clock changes, its start and end. */
export function cadenceTimes(
  rhythm: string,
  { timeZone, calendar: { start, end, dst } }: Pick<ScheduleSpec, 'timeZone' | 'calendar'>,
): Recurrence {
  const times = recurrence(rhythm, timeZone, dst);
  if (start === undefined && end === undefined) return times;
  const first = start === undefined ? -Infinity : millisecondsOf(start) - 1;
  const last = end === undefined ? Infinity : millisecondsOf(end);
  return {
    next: (after) => {
      const next = times.next(Math.max(after, first));
      return next === undefined || next > last ? undefined : next;
    },
    row: (after, upTo) => times.row(Math.max(after, first), Math.min(upTo, last)),
  };
}
