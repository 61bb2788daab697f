import type { GfsRules, WEEKS } from './policy.ts';
import type { LocatedPoint } from './point.ts';
import { dateOf, dayNumber, weekdayOf } from './zone-calendar.ts';

export type GfsLevel = 'weekly' | 'monthly' | 'yearly';

/** A long-term flag on a full. Days are days since 1970-01-01 in the zone. */
export interface GfsFlag {
  readonly level: GfsLevel;
  /** The day of the full that carries it. */
  readonly assigned: number;
  /** The first day of the period it stands for: earlier than `assigned` when the full was missed and caught up. */
  readonly intended: number;
  /** The day on which it is gone. */
  readonly expires: number;
}

/** A period in which a level wants its full. */
interface Period {
  readonly start: number;
  readonly end: number;
}

/**
 * Assigns flags to fulls in the order in which they were taken (veeam.md 2.5): the first full in a period or, when the
 * period had none, the first after it. A higher flag needs the next lower one on the same full, when that level is on.
 * @param points all conventional points there ever were, oldest first; those that are gone keep their periods.
 */
export function assignGfsFlags(
  points: readonly LocatedPoint[],
  rules: GfsRules,
): ReadonlyMap<string, readonly GfsFlag[]> {
  const flags = new Map<string, GfsFlag[]>();
  const first = points[0]?.day;
  if (first === undefined) return flags;
  const weekly = rules.weekly && new Level('weekly', rules.weekly.keep, first, weeklyPeriod(rules.weekly.on));
  const monthly =
    rules.monthly && new Level('monthly', rules.monthly.keep, first, monthlyPeriod(rules.monthly.week));
  const yearly =
    rules.yearly && new Level('yearly', rules.yearly.keep, first, yearlyPeriod(rules.yearly.month));
  for (const point of points) {
    if (point.type !== 'full') continue;
    const week = weekly?.flagFor(point.day);
    const month = weekly !== undefined && week === undefined ? undefined : monthly?.flagFor(point.day);
    const year = monthly !== undefined && month === undefined ? undefined : yearly?.flagFor(point.day);
    const assigned = [week, month, year].filter((flag) => flag !== undefined);
    if (assigned.length > 0) flags.set(point.id, assigned);
  }
  return flags;
}

/** One level on its way through the fulls. */
class Level {
  readonly #level: GfsLevel;
  readonly #keep: number;
  readonly #periodOf: (day: number) => Period;
  /** Start of the newest period that has its full, or was over before the first point. */
  #served: number;

  constructor(level: GfsLevel, keep: number, first: number, periodOf: (day: number) => Period) {
    this.#level = level;
    this.#keep = keep;
    this.#periodOf = periodOf;
    const period = periodOf(first);
    this.#served = period.end < first ? period.start : period.start - 1;
  }

  flagFor(day: number): GfsFlag | undefined {
    const { start } = this.#periodOf(day);
    if (start <= this.#served) return undefined;
    this.#served = start;
    return { level: this.#level, assigned: day, intended: start, expires: this.#expiry(day) };
  }

  /** veeam.md 2.5, flag expiry: whole weeks; months and years clamped to the end of the month, and one day. */
  #expiry(day: number): number {
    if (this.#level === 'weekly') return day + 7 * this.#keep;
    return addMonths(day, this.#level === 'monthly' ? this.#keep : 12 * this.#keep) + 1;
  }
}

/** The newest period that has begun by a day. */
function weeklyPeriod(on: number): (day: number) => Period {
  return (day) => {
    const start = day - ((weekdayOf(day) - on + 7) % 7);
    return { start, end: start };
  };
}

/** Weeks of a month are blocks of seven days from day 1; the last is its last seven days. */
function monthlyPeriod(week: (typeof WEEKS)[number]): (day: number) => Period {
  const periodIn = (year: number, month: number): Period => {
    const index = ['first', 'second', 'third', 'fourth'].indexOf(week);
    const start = index === -1 ? dayNumber(year, month + 1, 0) - 6 : dayNumber(year, month, 1 + 7 * index);
    return { start, end: start + 6 };
  };
  return (day) => {
    const { year, month } = dateOf(day);
    const period = periodIn(year, month);
    return period.start <= day ? period : periodIn(year, month - 1);
  };
}

function yearlyPeriod(month: number): (day: number) => Period {
  const periodIn = (year: number): Period => ({
    start: dayNumber(year, month, 1),
    end: dayNumber(year, month + 1, 0),
  });
  return (day) => {
    const { year } = dateOf(day);
    const period = periodIn(year);
    return period.start <= day ? period : periodIn(year - 1);
  };
}

function addMonths(day: number, months: number): number {
  const date = dateOf(day);
  const last = dayNumber(date.year, date.month + months + 1, 0);
  return Math.min(dayNumber(date.year, date.month + months, date.day), last);
}
