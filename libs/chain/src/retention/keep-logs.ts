import { comparePositions, type Position } from '../position.ts';
import { durationBefore, type CalendarDuration } from './duration.ts';
import type { LocatedPoint } from './point.ts';
import type { ZoneCalendar } from './zone-calendar.ts';

/** Which logs stay, and the data backup that the window of time starts from. */
export interface LogVerdict {
  readonly kept: ReadonlyMap<string, string>;
  readonly gone: ReadonlyMap<string, string>;
  /** Kept whatever else says, so that the first second of the window can be had. */
  readonly anchor: { readonly id: string; readonly reason: string } | undefined;
}

/**
 * Logs follow the data backup they are rolled on (rules.md 5.6): a window in which any second can be had, or those after
 * the oldest backup of the short term.
 * @param data usable conventional data backups, newest first.
 * @param oldestOfShortTerm undefined when nothing says what goes.
 */
export function keepLogs(
  logs: readonly LocatedPoint[],
  data: readonly LocatedPoint[],
  window: CalendarDuration | undefined,
  oldestOfShortTerm: LocatedPoint | undefined,
  now: number,
  calendar: ZoneCalendar,
): LogVerdict {
  const from = window === undefined ? undefined : durationBefore(now, window, calendar);
  const anchor =
    from === undefined ? oldestOfShortTerm : (data.find((point) => point.time <= from) ?? data.at(-1));
  const kept = new Map<string, string>();
  const gone = new Map<string, string>();
  const earliest = earliestPlaces(data, anchor);
  for (const log of logs) {
    if (window === undefined && oldestOfShortTerm === undefined) kept.set(log.id, 'no rule for logs');
    else if (anchor === undefined) gone.set(log.id, 'no data backup it could be rolled on');
    else if (log.time > anchor.time || isBehind(log, earliest)) {
      kept.set(log.id, window === undefined ? `after ${anchor.id}` : `logs for ${window.text}`);
    } else gone.set(log.id, `ends before ${anchor.id}, the oldest that logs are rolled on`);
  }
  const holds = window !== undefined && anchor !== undefined && logs.length > 0;
  return {
    kept,
    gone,
    anchor: holds ? { id: anchor.id, reason: `start of logs for ${window.text}` } : undefined,
  };
}

/** By family the first position that a data backup ends at which stays. */
function earliestPlaces(
  data: readonly LocatedPoint[],
  anchor: LocatedPoint | undefined,
): ReadonlyMap<string, Position> {
  const earliest = new Map<string, Position>();
  for (const { time, place } of data) {
    if (place === undefined || anchor === undefined || time < anchor.time) continue;
    const known = earliest.get(place.family);
    if (known === undefined || comparePositions(place.position, known) < 0)
      earliest.set(place.family, place.position);
  }
  return earliest;
}

/** A log in which nothing was committed may show an old time, or none, and is needed for those that follow it. */
function isBehind({ place }: LocatedPoint, earliest: ReadonlyMap<string, Position>): boolean {
  if (place === undefined) return false;
  const first = earliest.get(place.family);
  return first !== undefined && comparePositions(place.position, first) > 0;
}
