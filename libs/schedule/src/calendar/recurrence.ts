import { CatenaError } from '@catena/events';
import { cronCalendar, END_OF_TIME, type WallCalendar } from './cron-calendar.ts';
import type { InstantRow } from './instant-row.ts';
import { checkRhythm, intervalOf, type Interval } from './rhythm.ts';
import { rowOfWallTimes } from './row-of-wall-times.ts';
import { zoneTimeline, type ZoneTimeline } from './zone-timeline.ts';

/** Instants that come again and again. Milliseconds since 1970, UTC. */
export interface Recurrence {
  /** The first instant strictly after the given one; nothing when there is none before the year 10000. */
  next(after: number): number | undefined;
  /** Those in `(after, upTo]` as a row; what it costs depends on the days between, not on how many they are. */
  row(after: number, upTo: number): InstantRow | undefined;
}

/** How many instants are wanted, or up to which one (it included). */
export type InstantLimit = { readonly count: number } | { readonly until: string };

/**
 * What becomes of wall times at a clock change (rule 3.3). Left out, an expression whose hour field covers all 24
 * hours follows the real hours (skip, twice), every other one the wall clock (shift, once).
 */
export interface ClockChangeRule {
  /** A time that the clock skips: at the offset from before the change, or not at all. */
  readonly gap?: 'shift' | 'skip' | undefined;
  /** A time that comes twice: the first only, or both. */
  readonly overlap?: 'once' | 'twice' | undefined;
}

/**
 * The instants of a rhythm on the wall clock of a zone (rule 3.3). Stateless: the answer depends on nothing but the
 * arguments. A rhythm of a fixed distance (`every 6h`) is counted in real time and knows no zone.
 * @throws CronNotUnderstoodError
 * @throws TimeZoneUnknownError
 */
export function recurrence(rhythm: string, timeZone: string, dst: ClockChangeRule = {}): Recurrence {
  const interval = intervalOf(rhythm);
  if (interval) {
    return {
      next: (after) => nextOfInterval(interval, after),
      row: (after, upTo) => rowOfInterval(interval, after, upTo),
    };
  }
  if (rhythm.trim().startsWith('every')) checkRhythm(rhythm);
  const calendar = cronCalendar(rhythm);
  const zone = zoneTimeline(timeZone);
  const gap = dst.gap ?? (calendar.followsRealHours ? 'skip' : 'shift');
  const overlap = dst.overlap ?? (calendar.followsRealHours ? 'twice' : 'once');
  const next = (after: number) => nextOfWallTimes({ calendar, zone, gap, overlap }, after);
  return { next, row: (after, upTo) => rowOfWallTimes(calendar, zone, next, after, upTo) };
}

/** Instants strictly after one, as ISO texts, oldest first. */
export function instantsAfter(
  rhythm: string,
  timeZone: string,
  after: string,
  limit: InstantLimit,
  dst: ClockChangeRule = {},
): string[] {
  const times = recurrence(rhythm, timeZone, dst);
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

function nextOfInterval({ every, phase }: Interval, after: number): number | undefined {
  const next = (Math.floor((after - phase) / every) + 1) * every + phase;
  return next < END_OF_TIME ? next : undefined;
}

function rowOfInterval(interval: Interval, after: number, upTo: number): InstantRow | undefined {
  const { every, phase } = interval;
  const first = nextOfInterval(interval, after);
  if (first === undefined || first > upTo) return undefined;
  const latest = Math.floor((Math.min(upTo, END_OF_TIME - 1) - phase) / every) * every + phase;
  const count = (latest - first) / every + 1;
  return { first, beforeLatest: count === 1 ? first : latest - every, latest, count };
}

interface WallTimes {
  readonly calendar: WallCalendar;
  readonly zone: ZoneTimeline;
  readonly gap: 'shift' | 'skip';
  readonly overlap: 'once' | 'twice';
}

/**
 * Every wall time is read with the offset of a piece of the zone's time: a time in a gap with that of the piece before
 * it (so 02:30 becomes 03:30) or not at all, a time that comes twice with that of its first pass or of both. Skipped
 * times of one piece land among the times of the next, so the earliest of both is taken; equal ones are one.
 */
function nextOfWallTimes({ calendar, zone, gap, overlap }: WallTimes, after: number): number | undefined {
  let best: number | undefined;
  let piece = zone.pieceAt(after - WIDEST_CHANGE);
  let previous = zone.pieceAt(piece.start - 1);
  for (;;) {
    if (best !== undefined && piece.start >= best) return best;
    const next = zone.pieceAt(piece.end);
    const firstOffset = overlap === 'twice' ? piece.offset : Math.max(previous.offset, piece.offset);
    const endOffset = gap === 'skip' ? piece.offset : Math.max(piece.offset, next.offset);
    const from = Math.max(after + piece.offset, piece.start + firstOffset - 1);
    const wall = calendar.next(from);
    if (wall === undefined) return best;
    if (wall < piece.end + endOffset) best = Math.min(best ?? Infinity, wall - piece.offset);
    // Wall times behind `from` come again where the clock goes back soon after it.
    const mayComeAgain = next.start - (from - piece.offset) <= WIDEST_CHANGE;
    previous = piece;
    piece = next;
    // No other wall time lies before `wall`, so the walk may go on just before it.
    const near = wall - 2 * WIDEST_CHANGE;
    if (best === undefined && near >= piece.end && !mayComeAgain) {
      piece = zone.pieceAt(near);
      previous = zone.pieceAt(piece.start - 1);
    }
  }
}
