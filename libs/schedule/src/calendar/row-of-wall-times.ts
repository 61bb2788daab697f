import { HOUR, type WallCalendar } from './cron-calendar.ts';
import { RowBuilder, type InstantRow } from './instant-row.ts';
import type { ZoneTimeline } from './zone-timeline.ts';

/**
 * The instants of a wall calendar in `(after, upTo]` as one row: counted day by day where the zone keeps its offset, and
 * walked through one by one only around its clock changes.
 * @param next the first instant strictly after one, whatever the clock does
 */
export function rowOfWallTimes(
  calendar: WallCalendar,
  zone: ZoneTimeline,
  next: (after: number) => number | undefined,
  after: number,
  upTo: number,
): InstantRow | undefined {
  const rows = new RowBuilder();
  // Hardly ever is more than one due, and then walking is the faster way.
  for (let few = 0, one = next(after); few <= FEW; few += 1, one = next(one)) {
    if (one === undefined || one > upTo) return rows.row;
    rows.add(one);
  }
  return countedRow(calendar, zone, next, after, upTo);
}

/** More than this are counted. */
const FEW = 8;

function countedRow(
  ...[calendar, zone, next, after, upTo]: Parameters<typeof rowOfWallTimes>
): InstantRow | undefined {
  const rows = new RowBuilder();
  let at = after;
  while (at < upTo) {
    const change = nearestChange(zone, at, upTo);
    const calmEnd = change === undefined ? upTo : Math.min(upTo, change.from);
    if (at < calmEnd) rows.append(calmRow(calendar, zone.offsetAt(at), at, calmEnd));
    const end = change === undefined ? upTo : Math.min(upTo, change.to);
    const start = Math.max(at, calmEnd);
    for (let one = next(start); one !== undefined && one <= end; one = next(one)) rows.add(one);
    at = Math.max(end, calmEnd);
  }
  return rows.row;
}

/** Times without a clock change nearby: the wall calendar's own, moved by the offset. */
function calmRow(
  calendar: WallCalendar,
  offset: number,
  after: number,
  upTo: number,
): InstantRow | undefined {
  const count = calendar.count(after + offset, upTo + offset);
  const first = calendar.next(after + offset);
  const latest = calendar.atOrBefore(upTo + offset);
  if (count === 0 || first === undefined || latest === undefined) return undefined;
  const beforeLatest = count === 1 ? latest : calendar.atOrBefore(latest - 1);
  return {
    first: first - offset,
    beforeLatest: (beforeLatest ?? latest) - offset,
    latest: latest - offset,
    count,
  };
}

/** The stretch around the next change of the offset within which times may be skipped, repeated or moved. */
function nearestChange(
  zone: ZoneTimeline,
  at: number,
  upTo: number,
): { from: number; to: number } | undefined {
  let piece = zone.pieceAt(at);
  for (let before = zone.pieceAt(piece.start - 1); ; before = piece, piece = zone.pieceAt(piece.end)) {
    const size = Math.abs(piece.offset - before.offset) + HOUR;
    const from = piece.start - size;
    if (size > HOUR && piece.start + size > at) return { from, to: piece.start + size };
    if (piece.start > upTo + 26 * HOUR) return undefined;
  }
}
