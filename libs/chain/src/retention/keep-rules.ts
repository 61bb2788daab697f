import { durationBefore, isZero } from './duration.ts';
import { KEEP_COUNTS, KEEP_WITHIN, type KeepCount, type KeepRules, type KeepWithin } from './policy.ts';
import type { LocatedPoint } from './point.ts';
import { dateOf, weekdayOf, type ZoneCalendar } from './zone-calendar.ts';

type Period = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

const PERIOD_OF_WITHIN: Readonly<Record<KeepWithin, Period | undefined>> = {
  within: undefined,
  withinHourly: 'hourly',
  withinDaily: 'daily',
  withinWeekly: 'weekly',
  withinMonthly: 'monthly',
  withinYearly: 'yearly',
};

/** One rule on its way from the newest to the oldest point. */
interface Counter {
  readonly name: string;
  readonly periodOf: (point: LocatedPoint, index: number) => number;
  readonly covers: (point: LocatedPoint) => boolean;
  left: number;
  last: number | undefined;
}

/**
 * What the rules keep and why, as restic's forget does it: rules overlap, the newest of each period counts, periods
 * without a backup are free, the oldest point fills a slot that is left over, and `within` reaches back from the newest
 * point that is not in the future.
 * @param points of one group, newest first.
 * @param now milliseconds since 1970 UTC.
 */
export function keptByRules(
  points: readonly LocatedPoint[],
  rules: KeepRules,
  calendar: ZoneCalendar,
  now: number,
): Map<string, string[]> {
  const newest = points.find((point) => point.time <= now)?.time ?? Number.NEGATIVE_INFINITY;
  const counters = [...countCounters(rules), ...withinCounters(rules, newest, calendar)];
  const kept = new Map<string, string[]>();
  points.forEach((point, index) => {
    const isOldest = index === points.length - 1;
    const reasons = [
      ...rules.tags.filter((tags) => hasTags(point, tags)).map((tags) => `tag ${tags.join(',')}`),
      ...counters.flatMap((counter) => take(counter, point, index, isOldest)),
    ];
    if (reasons.length > 0) kept.set(point.id, reasons);
  });
  return kept;
}

function take(counter: Counter, point: LocatedPoint, index: number, isOldest: boolean): string[] {
  if (counter.left === 0 || !counter.covers(point)) return [];
  const period = counter.periodOf(point, index);
  const isNewPeriod = period !== counter.last;
  if (!isNewPeriod && !isOldest) return [];
  counter.last = period;
  if (counter.left > 0) counter.left -= 1;
  return [isNewPeriod ? counter.name : `oldest ${counter.name}`];
}

function countCounters(rules: KeepRules): Counter[] {
  return KEEP_COUNTS.flatMap((name) => {
    const left = rules.counts[name] ?? 0;
    return left === 0 ? [] : [{ name, periodOf: numberOf(name), covers: () => true, left, last: undefined }];
  });
}

function withinCounters(rules: KeepRules, newest: number, calendar: ZoneCalendar): Counter[] {
  return KEEP_WITHIN.flatMap((name) => {
    const duration = rules.within[name];
    if (duration === undefined || isZero(duration)) return [];
    const from = Number.isFinite(newest) ? durationBefore(newest, duration, calendar) : newest;
    return [
      {
        name: `${name} ${duration.text}`,
        periodOf: numberOf(PERIOD_OF_WITHIN[name] ?? 'last'),
        covers: (point: LocatedPoint) => point.time > from,
        left: -1,
        last: undefined,
      },
    ];
  });
}

function numberOf(period: KeepCount): (point: LocatedPoint, index: number) => number {
  switch (period) {
    case 'last':
      return (_point, index) => index;
    case 'hourly':
      return (point) => point.hour;
    case 'daily':
      return (point) => point.day;
    case 'weekly':
      // Weeks begin on Monday, as in ISO 8601.
      return (point) => point.day - ((weekdayOf(point.day) + 6) % 7);
    case 'monthly':
      return (point) => dateOf(point.day).year * 12 + dateOf(point.day).month;
    case 'yearly':
      return (point) => dateOf(point.day).year;
  }
}

/** The empty tag means a backup without any. */
function hasTags(point: LocatedPoint, tags: readonly string[]): boolean {
  return tags.every((tag) => (tag === '' ? point.tags.length === 0 : point.tags.includes(tag)));
}
