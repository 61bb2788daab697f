import { CronExpressionParser } from 'cron-parser';
import { cronProblems, fiveFields } from './cron-text.ts';
import { CronNotUnderstoodError } from './cron-not-understood-error.ts';

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
  /** The hour field covers all 24 hours, so the expression follows the real hours over a clock change. */
  readonly followsRealHours: boolean;
}

const END_OF_TIME = Date.UTC(10_000, 0, 1);
const calendars = new Map<string, CronCalendar>();
const CACHE_LIMIT = 20_000;

/**
 * The calendar of a cron text or name, made once per text.
 * @throws CronNotUnderstoodError naming everything that is wrong with the text.
 */
export function cronCalendar(text: string): CronCalendar {
  const known = calendars.get(text);
  if (known) return known;
  const problems = cronProblems(text);
  if (problems.length > 0) throw new CronNotUnderstoodError(text, problems);
  const calendar = new CronCalendar(fiveFields(text));
  if (calendars.size >= CACHE_LIMIT) calendars.clear();
  calendars.set(text, calendar);
  return calendar;
}

/**
 * Five cron fields as sets of numbers. The outside parser expands the fields; the stepping is plain arithmetic,
 * because the parser's own iterator keeps state and is two orders of magnitude slower.
 */
class CronCalendar implements WallCalendar {
  readonly followsRealHours: boolean;
  readonly #minutes: NextValue;
  readonly #hours: NextValue;
  readonly #months: number;
  readonly #daysOfMonth: number;
  readonly #daysOfWeek: number;
  readonly #eitherDay: boolean;

  constructor(fields: string) {
    const { minute, hour, dayOfMonth, month, dayOfWeek } = CronExpressionParser.parse(fields, {
      tz: 'UTC',
      currentDate: new Date(0),
    }).fields;
    this.#minutes = nextValueTable(minute.values, 60);
    this.#hours = nextValueTable(hour.values, 24);
    this.#months = bitsOf(month.values);
    this.#daysOfMonth = bitsOf(dayOfMonth.values.map(Number));
    this.#daysOfWeek = bitsOf(dayOfWeek.values.map((day) => Number(day) % 7));
    // crontab(5): when both days are restricted, either is enough.
    this.#eitherDay = !dayOfMonth.isWildcard && !dayOfWeek.isWildcard;
    this.followsRealHours = hour.values.length === 24;
  }

  next(after: number): number | undefined {
    const first = Math.floor(after / MINUTE) * MINUTE + MINUTE;
    let day = Math.floor(first / DAY) * DAY;
    const today = this.#dayMatches(day) ? this.#timeOfDay(first - day) : undefined;
    if (today !== undefined) return day + today;
    day = this.#nextDay(day + DAY);
    const time = this.#timeOfDay(0);
    return day >= END_OF_TIME || time === undefined ? undefined : day + time;
  }

  /**
   * The largest distance between two neighbouring wall times around a fixed year (rule 3.1), in milliseconds.
   * 2024 is the year: it has a 29 February, so every day of a calendar occurs in it.
   */
  get longestGap(): number {
    const times = this.#timesOfDay();
    const first = times[0] ?? 0;
    const last = times.at(-1) ?? 0;
    let longest = 0;
    for (let index = 1; index < times.length; index++) {
      longest = Math.max(longest, (times[index] ?? 0) - (times[index - 1] ?? 0));
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
    const inMonth = has(this.#daysOfMonth, date.getUTCDate());
    const inWeek = has(this.#daysOfWeek, date.getUTCDay());
    return this.#eitherDay ? inMonth || inWeek : inMonth && inWeek;
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
      const minute = this.#minutes[(from - hour * HOUR) / MINUTE];
      if (minute !== undefined) return hour * HOUR + minute * MINUTE;
    }
    const nextHour = this.#hours[sameHour === hour ? hour + 1 : hour];
    const firstMinute = this.#minutes[0];
    if (nextHour === undefined || firstMinute === undefined) return undefined;
    return nextHour * HOUR + firstMinute * MINUTE;
  }

  #timesOfDay(): number[] {
    const times: number[] = [];
    for (let time = this.#timeOfDay(0); time !== undefined && time < DAY;) {
      times.push(time);
      time = time + MINUTE < DAY ? this.#timeOfDay(time + MINUTE) : undefined;
    }
    return times;
  }
}

export type { CronCalendar };

/** Per value the smallest allowed value that is not below it; nothing past the last. */
type NextValue = readonly (number | undefined)[];

function nextValueTable(values: readonly number[], size: number): NextValue {
  return Array.from({ length: size }, (_, from) => values.find((value) => value >= from));
}

function bitsOf(values: readonly number[]): number {
  return values.reduce((bits, value) => bits | (1 << value), 0);
}

function has(bits: number, value: number): boolean {
  return (bits & (1 << value)) !== 0;
}
