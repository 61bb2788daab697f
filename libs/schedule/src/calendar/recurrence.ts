import { CatenaError } from '@catena/events';
import { cronCalendar, type WallCalendar } from './cron-calendar.ts';
import { zoneTimeline, type ZoneTimeline } from './zone-timeline.ts';

/** Instants that come again and again. Milliseconds since 1970, UTC. */
export interface Recurrence {
  /** The first instant strictly after the given one; nothing when there is none before the year 10000. */
  next(after: number): number | undefined;
}

/** How many instants are wanted, or up to which one (it included). */
export type InstantLimit = { readonly count: number } | { readonly until: string };

/**
 * The instants of a cron text on the wall clock of a zone (rule 3.3). Stateless: the answer depends on nothing but
 * the arguments.
 * @throws CronNotUnderstoodError
 * @throws TimeZoneUnknownError
 */
export function recurrence(cron: string, timeZone: string): Recurrence {
  const calendar = cronCalendar(cron);
  const zone = zoneTimeline(timeZone);
  const next = calendar.followsRealHours ? nextOfRealHours : nextOfWallTimes;
  return { next: (after) => next(calendar, zone, after) };
}

/** Instants strictly after one, as ISO texts, oldest first. */
export function instantsAfter(cron: string, timeZone: string, after: string, limit: InstantLimit): string[] {
  const times = recurrence(cron, timeZone);
  const last = 'until' in limit ? millisecondsOf(limit.until) : Infinity;
  const count = 'count' in limit ? limit.count : Infinity;
  const instants: string[] = [];
  let instant = times.next(millisecondsOf(after));
  while (instant !== undefined && instant <= last && instants.length < count) {
    instants.push(isoInstant(instant));
    instant = times.next(instant);
  }
  return instants;
}

/** The wall time of an instant with its offset, `2025-03-30T03:30:00+02:00`. */
export function localTime(instant: string, timeZone: string): string {
  const at = millisecondsOf(instant);
  const offset = zoneTimeline(timeZone).offsetAt(at);
  const size = Math.abs(offset) / 1000;
  const digits = [Math.floor(size / 3600), Math.floor(size / 60) % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  const wall = new Date(at + offset).toISOString().slice(0, 19);
  return `${wall}${offset < 0 ? '-' : '+'}${digits.join(':')}`;
}

/** Milliseconds since 1970 of an ISO instant. @throws CatenaError `schedule.instant-not-understood` */
export function millisecondsOf(instant: string): number {
  const at = Date.parse(instant);
  if (Number.isNaN(at) || !/(Z|[+-]\d\d:\d\d)$/.test(instant)) {
    throw new CatenaError('schedule.instant-not-understood', `"${instant}" is not an instant.`, {
      remedy: 'Write it with its zone, as in 2025-03-30T01:30:00Z.',
    });
  }
  return at;
}

/** The fixed-width form that events use. */
export function isoInstant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/**
 * How far before an instant the piece may end whose skipped wall times still land on it or after it. The widest gap
 * ever was a whole day (Pacific/Apia, December 2011).
 */
const WIDEST_CHANGE = 26 * 60 * 60_000;

/**
 * Every wall time belongs to exactly one piece and is read with that piece's offset: a time in a gap to the piece
 * before it (so 02:30 becomes 03:30), a time that comes twice to the piece of its first pass. Skipped times of one
 * piece land among the times of the next, so the earliest of both is taken; equal ones are one.
 */
function nextOfWallTimes(calendar: WallCalendar, zone: ZoneTimeline, after: number): number | undefined {
  let best: number | undefined;
  let piece = zone.pieceAt(after - WIDEST_CHANGE);
  let previous = zone.pieceAt(piece.start - 1);
  for (;;) {
    if (best !== undefined && piece.start >= best) return best;
    const next = zone.pieceAt(piece.end);
    const firstWall = piece.start + Math.max(previous.offset, piece.offset);
    const endWall = piece.end + Math.max(piece.offset, next.offset);
    const wall = calendar.next(Math.max(after + piece.offset, firstWall - 1));
    if (wall === undefined) return best;
    if (wall < endWall) best = Math.min(best ?? Infinity, wall - piece.offset);
    previous = piece;
    piece = next;
    // No wall time lies before `wall`, so the walk may go on just before it.
    const near = wall - 2 * WIDEST_CHANGE;
    if (best === undefined && near >= piece.end) {
      piece = zone.pieceAt(near);
      previous = zone.pieceAt(piece.start - 1);
    }
  }
}

/** What the wall clock really shows: nothing in a gap, both passes of a repeated hour. */
function nextOfRealHours(calendar: WallCalendar, zone: ZoneTimeline, after: number): number | undefined {
  let piece = zone.pieceAt(after);
  let from = after;
  for (;;) {
    const wall = calendar.next(from + piece.offset);
    if (wall === undefined) return undefined;
    const instant = wall - piece.offset;
    if (instant < piece.end) return instant;
    from = piece.end - 1;
    piece = zone.pieceAt(piece.end);
  }
}
