import { CatenaError } from '@catena/events';
import type { LocalTime, ZoneCalendar } from './zone-calendar.ts';

/** A calendar duration like `1y6m2w3d4h`; `m` is months. */
export interface CalendarDuration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
  /** As it was written. */
  readonly text: string;
}

const UNITS: Readonly<
  Record<string, { readonly field: 'years' | 'months' | 'days' | 'hours'; readonly times: number }>
> = {
  y: { field: 'years', times: 1 },
  m: { field: 'months', times: 1 },
  w: { field: 'days', times: 7 },
  d: { field: 'days', times: 1 },
  h: { field: 'hours', times: 1 },
};

/**
 * Reads a duration.
 * @param path where it stands in the policy, for the message.
 * @throws CatenaError `retention.unit-unknown`, `retention.value-wrong`
 */
export function readDuration(text: string, path: string): CalendarDuration {
  const duration = { years: 0, months: 0, days: 0, hours: 0 };
  const seen = new Set<string>();
  let rest = text.trim();
  if (rest === '') throw wrong(path, text, 'it is empty');
  while (rest !== '') {
    const part = /^(\d{1,6})([^\d\s]*)\s*/.exec(rest);
    const [all, digits, unit] = part ?? [];
    if (all === undefined || unit === undefined)
      throw wrong(path, text, `"${rest}" is not a number with a unit`);
    const meaning = UNITS[unit.toLowerCase()];
    if (meaning === undefined) throw unknownUnit(path, text, unit);
    if (seen.has(unit.toLowerCase())) throw wrong(path, text, `it has "${unit}" twice`);
    seen.add(unit.toLowerCase());
    duration[meaning.field] += Number(digits) * meaning.times;
    rest = rest.slice(all.length);
  }
  return { ...duration, text: text.trim() };
}

export function isZero(duration: CalendarDuration): boolean {
  return duration.years === 0 && duration.months === 0 && duration.days === 0 && duration.hours === 0;
}

/**
 * The instant a duration before another, in milliseconds: years, months and days on the calendar of the zone (31 March
 * less a month is 3 March, as dates overflow), then hours by the clock.
 */
export function durationBefore(instant: number, duration: CalendarDuration, calendar: ZoneCalendar): number {
  return moved(instant, duration, calendar, -1);
}

/** The instant a duration after another; counted like `durationBefore`. */
export function durationAfter(instant: number, duration: CalendarDuration, calendar: ZoneCalendar): number {
  return moved(instant, duration, calendar, 1);
}

function moved(instant: number, duration: CalendarDuration, calendar: ZoneCalendar, sign: 1 | -1): number {
  const local: LocalTime = calendar.localTime(instant);
  const onCalendar = calendar.instantOf({
    ...local,
    year: local.year + sign * duration.years,
    month: local.month + sign * duration.months,
    day: local.day + sign * duration.days,
  });
  return onCalendar + sign * duration.hours * 3_600_000;
}

function unknownUnit(path: string, text: string, unit: string): CatenaError {
  return new CatenaError(
    'retention.unit-unknown',
    unit === ''
      ? `${path}: "${text}" has a number without a unit.`
      : `${path}: "${text}" has the unknown unit "${unit}".`,
    { remedy: 'Units are y, m (months), w, d and h, as in 1y6m2w3d4h.', details: { path } },
  );
}

function wrong(path: string, text: string, why: string): CatenaError {
  return new CatenaError('retention.value-wrong', `${path}: "${text}" is not a duration: ${why}.`, {
    remedy: 'Write it as 1y6m2w3d4h.',
    details: { path },
  });
}
