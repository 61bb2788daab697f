import { isInWindow, windowText, type HourWindow } from './hour-window.ts';
import { zoneTimeline } from './zone-timeline.ts';

/** Dates or hours in which nothing fires: `2026-12-25`, `2026-12-24..2027-01-02`, `12-25` of every year, or hours. */
export type Exclusion = string | HourWindow;

const DATE = String.raw`(?:\d{4}-)?(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])`;
const DATES = new RegExp(`^(${DATE})(?:\\.\\.(${DATE}))?$`);

/** What dates are written like. */
export const DATES_TEXT = 'a date 2026-12-25, a range 2026-12-24..2027-01-02, or 12-25 for every year';

/** Whether a text is a date or a range of dates that exist and grow. */
export function areDates(text: string): boolean {
  const match = DATES.exec(text);
  if (!match) return false;
  const [, first = '', last = first] = match;
  if (first.length !== last.length || ![first, last].every(isDate)) return false;
  return first.length === 5 || first <= last;
}

/** What excludes an instant (milliseconds since 1970), as text; nothing when nothing does. */
export function exclusionOf(
  exclusions: readonly Exclusion[],
  at: number,
  timeZone: string,
): string | undefined {
  if (exclusions.length === 0) return undefined;
  const date = new Date(at + zoneTimeline(timeZone).offsetAt(at)).toISOString().slice(0, 10);
  for (const exclusion of exclusions) {
    if (typeof exclusion === 'string') {
      if (containsDate(exclusion, date)) return exclusion;
    } else if (isInWindow(exclusion, at, timeZone)) return windowText(exclusion);
  }
  return undefined;
}

function containsDate(dates: string, date: string): boolean {
  const [first = '', last = first] = dates.split('..');
  const compared = first.length === 5 ? date.slice(5) : date;
  if (first <= last) return compared >= first && compared <= last;
  // Of every year, over its end: 12-24..01-02.
  return compared >= first || compared <= last;
}

function isDate(text: string): boolean {
  const full = text.length === 5 ? `2024-${text}` : text;
  const time = Date.parse(`${full}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(full);
}
