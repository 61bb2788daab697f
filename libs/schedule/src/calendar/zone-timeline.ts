import { DAY } from './cron-calendar.ts';
import { isTimeZone, TimeZoneUnknownError } from './time-zone.ts';

/** A stretch of real time with one offset from UTC. Milliseconds; `end` is not part of it. */
export interface OffsetPiece {
  readonly start: number;
  readonly end: number;
  /** Wall time minus UTC. */
  readonly offset: number;
}

const timelines = new Map<string, ZoneTimeline>();

/**
 * The timeline of an IANA zone, made once per zone.
 * @throws TimeZoneUnknownError
 */
export function zoneTimeline(timeZone: string): ZoneTimeline {
  const known = timelines.get(timeZone);
  if (known) return known;
  if (!isTimeZone(timeZone)) throw new TimeZoneUnknownError(timeZone);
  const timeline = new ZoneTimeline(timeZone);
  timelines.set(timeZone, timeline);
  return timeline;
}

/**
 * The offsets of a zone as pieces of real time, without gaps, from the zone data of the runtime. Years are worked
 * out when first asked for, so a piece also ends at a year's end, which changes nothing for who walks over it.
 */
class ZoneTimeline {
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #years = new Map<number, readonly OffsetPiece[]>();

  constructor(timeZone: string) {
    this.#format =
      timeZone === 'UTC'
        ? undefined
        : new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  }

  /** The piece that an instant lies in. */
  pieceAt(instant: number): OffsetPiece {
    const pieces = this.#piecesOf(new Date(instant).getUTCFullYear());
    const piece = pieces.find(({ end }) => instant < end);
    if (!piece) throw new RangeError(`No offset is known at ${instant}.`);
    return piece;
  }

  /** Wall time minus UTC at an instant, in milliseconds. */
  offsetAt(instant: number): number {
    return this.pieceAt(instant).offset;
  }

  #piecesOf(year: number): readonly OffsetPiece[] {
    const known = this.#years.get(year);
    if (known) return known;
    const pieces = this.#readYear(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
    this.#years.set(year, pieces);
    return pieces;
  }

  /** Samples once a day: no zone has ever changed its offset twice within one (a test holds this against zdump). */
  #readYear(from: number, to: number): OffsetPiece[] {
    const pieces: OffsetPiece[] = [];
    let start = from;
    let offset = this.#readOffset(from);
    for (let known = from; known < to; known = Math.min(known + DAY, to)) {
      const last = Math.min(known + DAY, to) - 1000;
      if (this.#readOffset(last) === offset) continue;
      const change = this.#findChange(known, last, offset);
      pieces.push({ start, end: change, offset });
      start = change;
      offset = this.#readOffset(change);
    }
    pieces.push({ start, end: to, offset });
    return pieces;
  }

  /** The first whole second after `low` whose offset is not the given one; `high` has another. */
  #findChange(low: number, high: number, offset: number): number {
    let before = low;
    let after = high;
    if (this.#readOffset(before) !== offset) return before;
    while (after - before > 1000) {
      const middle = before + Math.floor((after - before) / 2000) * 1000;
      if (this.#readOffset(middle) === offset) before = middle;
      else after = middle;
    }
    return after;
  }

  #readOffset(instant: number): number {
    if (!this.#format) return 0;
    const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(this.#format.format(instant));
    if (!match) throw new RangeError(`The runtime gave no offset at ${instant}.`);
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = match;
    const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -size : size;
  }
}

export type { ZoneTimeline };
