import { cronCalendar, HOUR } from './cron-calendar.ts';
import type { ClockChangeRule } from './recurrence.ts';
import { intervalOf } from './rhythm.ts';
import { zoneTimeline } from './zone-timeline.ts';

/** No change of offset reaches further. */
const WIDEST_CHANGE = 26 * HOUR;

/**
 * What a clock change did to an instant of a rhythm (milliseconds since 1970), in words; nothing when nothing. The
 * instant is one that the rhythm gave.
 */
export function clockChangeNote(
  rhythm: string,
  timeZone: string,
  at: number,
  { overlap }: ClockChangeRule = {},
): string | undefined {
  if (intervalOf(rhythm)) return undefined;
  const calendar = cronCalendar(rhythm);
  const zone = zoneTimeline(timeZone);
  const piece = zone.pieceAt(at);
  const before = zone.pieceAt(piece.start - 1).offset;
  const names = (wall: number) => calendar.next(wall - 1) === wall;
  const notes: string[] = [];
  if (at - piece.start < piece.offset - before && names(at + before)) {
    const skipped = clockText(at + before, at + piece.offset);
    notes.push(
      names(at + piece.offset)
        ? `the clock skips ${skipped}: one run for both`
        : `the clock skips ${skipped}`,
    );
  } else if (at - piece.start < before - piece.offset && at - piece.start < WIDEST_CHANGE) {
    notes.push('the clock shows this time again: second pass');
  }
  const next = zone.pieceAt(piece.end).offset;
  if (piece.end - at <= piece.offset - next && names(at + piece.offset)) {
    const both = (overlap ?? (calendar.followsRealHours ? 'twice' : 'once')) === 'twice';
    notes.push(
      both
        ? 'the clock shows this time twice: first pass'
        : 'the clock shows this time twice: once, at the first',
    );
  }
  return notes.length === 0 ? undefined : notes.join('; ');
}

/** The time of day, with its date where that is another. */
function clockText(wall: number, shown: number): string {
  const [text, other] = [wall, shown].map((time) => new Date(time).toISOString());
  return text?.slice(0, 10) === other?.slice(0, 10)
    ? (text?.slice(11, 16) ?? '')
    : (text?.slice(0, 16).replace('T', ' ') ?? '');
}
