import { DAY } from '../calendar/cron-calendar.ts';
import { exclusionOf } from '../calendar/exclusion.ts';
import { isInWindow, timeOfDay } from '../calendar/hour-window.ts';
import { RowBuilder, type InstantRow } from '../calendar/instant-row.ts';
import type { Recurrence } from '../calendar/recurrence.ts';
import { zoneTimeline } from '../calendar/zone-timeline.ts';
import type { ScheduleSpec } from '../definitions/kinds/schedule.ts';

/** Nominal instants by what may become of them. */
export interface ClassedRows {
  /** Those in which a run may start. */
  readonly runnable: InstantRow | undefined;
  readonly excluded: (InstantRow & { readonly by: string }) | undefined;
  readonly outsideWindow: InstantRow | undefined;
}

/** What becomes of an instant: `by` is what excludes it. */
interface Fate {
  readonly kind: 'runnable' | 'excluded' | 'outsideWindow';
  readonly by: string;
}

/**
 * The nominal instants in `(after, upTo]` (milliseconds since 1970), sorted into those that may run and those that are
 * excluded or outside the window. Costs by the hours in which that changes, not by the instants.
 */
export function classedRows(
  spec: Pick<ScheduleSpec, 'timeZone' | 'calendar' | 'policies'>,
  times: Recurrence,
  after: number,
  upTo: number,
): ClassedRows {
  if (spec.calendar.exclude.length === 0 && spec.policies.window === undefined)
    return { runnable: times.row(after, upTo), excluded: undefined, outsideWindow: undefined };
  const rows = { runnable: new RowBuilder(), excluded: new RowBuilder(), outsideWindow: new RowBuilder() };
  let excludedBy = '';
  for (let start = after + 1; start <= upTo;) {
    const fate = fateOf(spec, start);
    const end = endOfFate(spec, fate, start, upTo);
    const row = times.row(start - 1, Math.min(end - 1, upTo));
    rows[fate.kind].append(row);
    if (row && fate.kind === 'excluded') excludedBy = fate.by;
    start = end;
  }
  const excluded = rows.excluded.row;
  return {
    runnable: rows.runnable.row,
    excluded: excluded && { ...excluded, by: excludedBy },
    outsideWindow: rows.outsideWindow.row,
  };
}

function fateOf({ timeZone, calendar, policies }: Parameters<typeof classedRows>[0], at: number): Fate {
  const by = exclusionOf(calendar.exclude, at, timeZone);
  if (by !== undefined) return { kind: 'excluded', by };
  const isOutside = policies.window !== undefined && !isInWindow(policies.window, at, timeZone);
  return { kind: isOutside ? 'outsideWindow' : 'runnable', by: '' };
}

/** The first instant after `start` of another fate; after `upTo` it does not matter. */
function endOfFate(spec: Parameters<typeof classedRows>[0], fate: Fate, start: number, upTo: number): number {
  const { calendar, policies, timeZone } = spec;
  const hours = [policies.window, ...calendar.exclude].flatMap((one) =>
    one === undefined || typeof one === 'string' ? [] : [timeOfDay(one.from), timeOfDay(one.to)],
  );
  const turns = [...new Set([...hours, 0])].sort((left, right) => left - right);
  const zone = zoneTimeline(timeZone);
  for (let at = start; ;) {
    const { end, offset } = zone.pieceAt(at);
    const wall = at + offset;
    const midnight = Math.floor(wall / DAY) * DAY;
    const turn = turns.find((one) => midnight + one > wall) ?? DAY;
    at = Math.min(end, midnight + turn - offset);
    if (at > upTo) return at;
    const next = fateOf(spec, at);
    if (next.kind !== fate.kind || next.by !== fate.by) return at;
  }
}
