import { dayField, timeField, type NextValue } from './cron-fields.ts';
import { cronProblems, sixFields, type NthWeekday } from './cron-text.ts';
import { CronNotUnderstoodError } from './cron-not-understood-error.ts';

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/**
 * A calendar without time zones. A wall time is a number of milliseconds as though the wall clock showed UTC;
 * which instant it is, if any, is the recurrence's affair (rule 3.3).
 */
export interface WallCalendar {
  /** The first wall time strictly after the given one; nothing when there is none before the year 10000. */
  next(after: number): number | undefined;
  /** The last wall time at or before the given one; nothing when there is none since 1970. */
  atOrBefore(last: number): number | undefined;
  /** How many wall times there are after the first one given and not after the second, by days and not one by one. */
  count(after: number, upTo: number): number;
  /** The hour field covers all 24 hours, so the expression follows the real hours over a clock change. */
  readonly followsRealHours: boolean;
}

/** No calendar goes further. */
export const END_OF_TIME = Date.UTC(10_000, 0, 1);
const calendars = new Map<string, CronCalendar>();
const CACHE_LIMIT = 5_000;

/**
 * The calendar of a cron text or name, made once per text.
 * @throws CronNotUnderstoodError naming everything that is wrong with the text.
 */
export function cronCalendar(text: string): CronCalendar {
  const known = calendars.get(text);
  if (known) return known;
  const problems = cronProblems(text);
  if (problems.length > 0) throw new CronNotUnderstoodError(text, problems);
  const calendar = new CronCalendar(sixFields(text));
  if (calendars.size >= CACHE_LIMIT) calendars.clear();
  calendars.set(text, calendar);
  return calendar;
}

/**
 * Six cron fields as sets of numbers. The outside parser expands the fields; the stepping is plain arithmetic,
 * because the parser's own iterator keeps state and is two orders of magnitude slower. What the month decides (`L`,
 * `#`) is ours as well.
 */
class CronCalendar implements WallCalendar {
  readonly followsRealHours: boolean;
  readonly #seconds: NextValue;
  readonly #minutes: NextValue;
  readonly #hours: NextValue;
  readonly #months: number;
  readonly #daysOfMonth: number;
  readonly #lastDay: boolean;
  readonly #daysOfWeek: number;
  readonly #nthWeekdays: readonly NthWeekday[];
  readonly #eitherDay: boolean;

  #longestGap: number | undefined;

  constructor(texts: readonly string[]) {
    const [second = '0', minute = '*', hour = '*', dayOfMonth = '*', month = '*', dayOfWeek = '*'] = texts;
    const hours = timeField(2, hour);
    const days = dayField(3, dayOfMonth);
    const weekdays = dayField(5, dayOfWeek);
    this.#seconds = timeField(0, second).next;
    this.#minutes = timeField(1, minute).next;
    this.#hours = hours.next;
    this.#months = dayField(4, month).bits;
    this.#daysOfMonth = days.bits;
    this.#lastDay = days.lastDay;
    this.#daysOfWeek = weekdays.bits;
    this.#nthWeekdays = weekdays.nthWeekdays;
    // crontab(5): when both days are restricted, either is enough.
    this.#eitherDay = !days.isWildcard && !weekdays.isWildcard;
    this.followsRealHours = hours.size === 24;
  }

  next(after: number): number | undefined {
    const first = Math.floor(after / SECOND) * SECOND + SECOND;
    let day = Math.floor(first / DAY) * DAY;
    const today = this.#dayMatches(day) ? this.#timeOfDay(first - day) : undefined;
    if (today !== undefined) return day + today;
    day = this.#nextDay(day + DAY);
    const time = this.#timeOfDay(0);
    return day >= END_OF_TIME || time === undefined ? undefined : day + time;
  }

  atOrBefore(last: number): number | undefined {
    let day = Math.floor(last / DAY) * DAY;
    if (this.#dayMatches(day)) {
      const time = this.#lastTimeOfDay(last - day);
      if (time !== undefined) return day + time;
    }
    const latest = this.#lastTimeOfDay(DAY - SECOND);
    for (day -= DAY; day >= 0 && latest !== undefined; day -= DAY)
      if (this.#dayMatches(day)) return day + latest;
    return undefined;
  }

  count(after: number, upTo: number): number {
    if (upTo <= after) return 0;
    return this.#countUpTo(upTo, after) - this.#countUpTo(after, after);
  }

  /** Wall times from the midnight before `since` on. */
  #countUpTo(last: number, since: number): number {
    const lastDay = Math.floor(last / DAY) * DAY;
    const whole = this.#countOfDay(DAY - SECOND);
    let count = 0;
    for (
      let day = this.#nextDay(Math.floor(since / DAY) * DAY);
      day <= lastDay;
      day = this.#nextDay(day + DAY)
    )
      count += day < lastDay ? whole : this.#countOfDay(last - day);
    return count;
  }

  /** How many times of day there are up to one, it included. */
  #countOfDay(last: number): number {
    const second = Math.floor(last / SECOND);
    const [hour, minute] = [Math.floor(second / 3600), Math.floor(second / 60) % 60];
    const perMinute = countBelow(this.#seconds, 60);
    const perHour = countBelow(this.#minutes, 60) * perMinute;
    return (
      countBelow(this.#hours, hour) * perHour +
      (this.#hours[hour] === hour
        ? countBelow(this.#minutes, minute) * perMinute +
          (this.#minutes[minute] === minute ? countBelow(this.#seconds, (second % 60) + 1) : 0)
        : 0)
    );
  }

  /** The last time of day at or before the given one, in milliseconds since midnight. */
  #lastTimeOfDay(last: number): number | undefined {
    for (let hour = Math.floor(last / HOUR); hour >= 0; hour -= 1) {
      if (this.#hours[hour] !== hour) continue;
      const within = Math.min(last - hour * HOUR, HOUR - SECOND);
      for (let minute = Math.floor(within / MINUTE); minute >= 0; minute -= 1) {
        if (this.#minutes[minute] !== minute) continue;
        const rest = Math.min(within - minute * MINUTE, MINUTE - SECOND);
        for (let second = Math.floor(rest / SECOND); second >= 0; second -= 1)
          if (this.#seconds[second] === second) return hour * HOUR + minute * MINUTE + second * SECOND;
      }
    }
    return undefined;
  }

  /**
   * The largest distance between two neighbouring wall times around a fixed year (rule 3.1), in milliseconds.
   * 2024 is the year: it has a 29 February, so every day of a calendar occurs in it.
   */
  get longestGap(): number {
    return (this.#longestGap ??= this.#findLongestGap());
  }

  #findLongestGap(): number {
    const first = this.#timeOfDay(0) ?? 0;
    let last = first;
    let longest = 0;
    for (let time = this.#timeAfter(first); time !== undefined; time = this.#timeAfter(time)) {
      longest = Math.max(longest, time - last);
      last = time;
    }
    const start = Date.UTC(2024, 0, 1);
    const end = Date.UTC(2025, 0, 1);
    let day = this.#previousDay(start - DAY);
    while (day < end) {
      const next = this.#nextDay(day + DAY);
      longest = Math.max(longest, next - day + first - last);
      day = next;
    }
    return longest;
  }

  #dayMatches(day: number): boolean {
    const date = new Date(day);
    return this.#monthMatches(date) && this.#dayOfMonthMatches(date);
  }

  #monthMatches(date: Date): boolean {
    return has(this.#months, date.getUTCMonth() + 1);
  }

  #dayOfMonthMatches(date: Date): boolean {
    const inMonth =
      has(this.#daysOfMonth, date.getUTCDate()) ||
      (this.#lastDay && date.getUTCDate() === lengthOfMonth(date));
    const inWeek = has(this.#daysOfWeek, date.getUTCDay()) || this.#isNthWeekday(date);
    return this.#eitherDay ? inMonth || inWeek : inMonth && inWeek;
  }

  #isNthWeekday(date: Date): boolean {
    const day = date.getUTCDate();
    return this.#nthWeekdays.some(({ weekday, nth }) => {
      if (weekday !== date.getUTCDay()) return false;
      return nth === 0 ? day + 7 > lengthOfMonth(date) : Math.ceil(day / 7) === nth;
    });
  }

  #nextDay(from: number): number {
    let day = from;
    while (day < END_OF_TIME) {
      const date = new Date(day);
      if (!this.#monthMatches(date)) day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
      else if (!this.#dayOfMonthMatches(date)) day += DAY;
      else return day;
    }
    return END_OF_TIME;
  }

  #previousDay(from: number): number {
    let day = from;
    while (!this.#dayMatches(day)) day -= DAY;
    return day;
  }

  /** The first time of day at or after the given one, in milliseconds since midnight. */
  #timeOfDay(from: number): number | undefined {
    const hour = Math.floor(from / HOUR);
    const sameHour = this.#hours[hour];
    if (sameHour === hour) {
      const within = this.#timeOfHour(from - hour * HOUR);
      if (within !== undefined) return hour * HOUR + within;
    }
    const nextHour = this.#hours[sameHour === hour ? hour + 1 : hour];
    const first = this.#timeOfHour(0);
    return nextHour === undefined || first === undefined ? undefined : nextHour * HOUR + first;
  }

  /** As `#timeOfDay`, since the full hour. */
  #timeOfHour(from: number): number | undefined {
    const minute = Math.floor(from / MINUTE);
    const sameMinute = this.#minutes[minute];
    if (sameMinute === minute) {
      const second = this.#seconds[(from - minute * MINUTE) / SECOND];
      if (second !== undefined) return minute * MINUTE + second * SECOND;
    }
    const nextMinute = this.#minutes[sameMinute === minute ? minute + 1 : minute];
    const first = this.#seconds[0];
    return nextMinute === undefined || first === undefined ? undefined : nextMinute * MINUTE + first * SECOND;
  }

  #timeAfter(time: number): number | undefined {
    return time + SECOND < DAY ? this.#timeOfDay(time + SECOND) : undefined;
  }
}

export type { CronCalendar };

/** How many allowed values are below one. */
function countBelow(table: NextValue, end: number): number {
  let count = 0;
  for (let value = 0; value < end; value += 1) if (table[value] === value) count += 1;
  return count;
}

function lengthOfMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

function has(bits: number, value: number): boolean {
  return (bits & (1 << value)) !== 0;
}
