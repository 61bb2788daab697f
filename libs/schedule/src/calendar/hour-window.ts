import { DAY, HOUR, MINUTE } from './cron-calendar.ts';
import { cronProblems } from './cron-text.ts';
import { recurrence } from './recurrence.ts';
import { zoneTimeline } from './zone-timeline.ts';

/** Hours of the day on the wall clock; `to` before `from` goes over midnight, `to` equal to `from` is all day. */
export interface HourWindow {
  /** Days of the week on which it begins, as in cron: `mon-fri`. Absent: every day. */
  readonly days?: string | undefined;
  /** `HH:MM`, included. */
  readonly from: string;
  /** `HH:MM`, not included. */
  readonly to: string;
}

/** What a time of day is written like. */
export const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;

/** What is wrong with days of the week; nothing when they are good. */
export function daysProblem(days: string): string | undefined {
  if (/[#L]|\s/i.test(days)) return 'days of the week such as mon-fri or sat,sun';
  const problems = cronProblems(`0 0 * * ${days === '' ? 'x' : days}`);
  return problems.length === 0 ? undefined : 'days of the week such as mon-fri or sat,sun';
}

/** Whether the wall clock shows hours of the window at an instant (milliseconds since 1970). */
export function isInWindow(window: HourWindow, at: number, timeZone: string): boolean {
  const wall = at + zoneTimeline(timeZone).offsetAt(at);
  const midnight = Math.floor(wall / DAY) * DAY;
  const time = wall - midnight;
  const from = timeOfDay(window.from);
  const to = timeOfDay(window.to);
  if (from < to) return time >= from && time < to && beginsOn(window, midnight);
  return (time >= from && beginsOn(window, midnight)) || (time < to && beginsOn(window, midnight - DAY));
}

/** The first instant after the given one at which the window opens. */
export function nextOpening(
  { from, days = '*' }: HourWindow,
  after: number,
  timeZone: string,
): number | undefined {
  return recurrence(dailyAt(from, days), timeZone).next(after);
}

/** The first instant after the given one at which the window closes, were it open. */
export function nextClosing({ to }: HourWindow, after: number, timeZone: string): number | undefined {
  return recurrence(dailyAt(to, '*'), timeZone).next(after);
}

/** `mon-fri 22:00-04:00` */
export function windowText({ days, from, to }: HourWindow): string {
  return `${days === undefined ? '' : `${days} `}${from}-${to}`;
}

function dailyAt(time: string, days: string): string {
  const [hour, minute] = time.split(':').map(Number);
  return `${minute} ${hour} * * ${days}`;
}

function beginsOn({ days }: HourWindow, midnight: number): boolean {
  if (days === undefined) return true;
  // Asked in UTC, a wall day is an ordinary day.
  return recurrence(`0 0 * * ${days}`, 'UTC').next(midnight - 1) === midnight;
}

/** Milliseconds since midnight of `HH:MM`. */
export function timeOfDay(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * HOUR + minutes * MINUTE;
}
