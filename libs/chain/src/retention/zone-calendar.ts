import { CatenaError } from '@catena/events';

/** What the clocks of a zone show. `month` from 1; the fields may overflow when a time is computed. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Offsets change at quarter hours at the finest, so one answer serves that long. */
const OFFSET_GRAIN = HOUR / 4;

/** The calendar of one time zone. Instants are milliseconds since 1970 UTC. */
export class ZoneCalendar {
  readonly #formatter: Intl.DateTimeFormat | undefined;
  readonly #offsets = new Map<number, number>();

  /**
   * @param timeZone an IANA name.
   * @throws CatenaError `retention.zone-unknown`
   */
  constructor(timeZone = 'UTC') {
    if (timeZone === 'UTC') return;
    try {
      this.#formatter = new Intl.DateTimeFormat('en-US', {
        timeZone,
        calendar: 'iso8601',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
      });
    } catch (error) {
      throw new CatenaError('retention.zone-unknown', `"${timeZone}" is not a time zone.`, {
        remedy: 'Use a name like Europe/Berlin.',
        cause: error,
      });
    }
  }

  localTime(instant: number): LocalTime {
    const wall = new Date(instant + this.#offsetAt(instant));
    return {
      year: wall.getUTCFullYear(),
      month: wall.getUTCMonth() + 1,
      day: wall.getUTCDate(),
      hour: wall.getUTCHours(),
      minute: wall.getUTCMinutes(),
      second: wall.getUTCSeconds(),
      millisecond: wall.getUTCMilliseconds(),
    };
  }

  /** The instant of a local time. One that a clock change skips is read with the offset from before the change; of two the first. */
  instantOf(local: LocalTime): number {
    const wall = Date.UTC(
      local.year,
      local.month - 1,
      local.day,
      local.hour,
      local.minute,
      local.second,
      local.millisecond,
    );
    const [early, late] = [this.#offsetAt(wall - DAY), this.#offsetAt(wall + DAY)];
    const candidates = [wall - early, wall - late].filter(
      (instant) => instant + this.#offsetAt(instant) === wall,
    );
    return candidates.length === 0 ? wall - early : Math.min(...candidates);
  }

  /** Days since 1970-01-01 on the calendar of the zone. */
  dayOf(instant: number): number {
    return Math.floor((instant + this.#offsetAt(instant)) / DAY);
  }

  /** The last millisecond of a day. */
  endOfDay(day: number): number {
    const next = new Date((day + 1) * DAY);
    return (
      this.instantOf({
        year: next.getUTCFullYear(),
        month: next.getUTCMonth() + 1,
        day: next.getUTCDate(),
        hour: 0,
        minute: 0,
        second: 0,
        millisecond: 0,
      }) - 1
    );
  }

  #offsetAt(instant: number): number {
    if (this.#formatter === undefined) return 0;
    const grain = Math.floor(instant / OFFSET_GRAIN);
    let offset = this.#offsets.get(grain);
    if (offset === undefined) {
      offset = readOffset(this.#formatter, grain * OFFSET_GRAIN);
      this.#offsets.set(grain, offset);
    }
    return offset;
  }
}

/** A calendar date as days since 1970-01-01. Fields may overflow. */
export function dayNumber(year: number, month: number, day: number): number {
  return Math.floor(Date.UTC(year, month - 1, day) / DAY);
}

/** The date of a day number. */
export function dateOf(day: number): { readonly year: number; readonly month: number; readonly day: number } {
  const date = new Date(day * DAY);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** 0 is Sunday. */
export function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** `2026-03-01` */
export function dateText(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

function readOffset(formatter: Intl.DateTimeFormat, instant: number): number {
  const parts = new Map(formatter.formatToParts(instant).map((part) => [part.type, Number(part.value)]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const wall = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return wall - Math.floor(instant / 1000) * 1000;
}
