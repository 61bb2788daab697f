import { z } from 'zod';
import { areDates, DATES_TEXT, type Exclusion } from '../../calendar/exclusion.ts';
import { daysProblem, TIME_OF_DAY } from '../../calendar/hour-window.ts';
import { isoInstant, type ClockChangeRule } from '../../calendar/recurrence.ts';
import { fields, listOf, mismatch, oneOf, text } from '../shape/building-blocks.ts';

const INSTANT = 'an instant such as 2026-03-30T01:30:00Z';
const TIME = 'a time of day such as "22:00" (in quotes)';

const instant = z.string({ error: INSTANT }).superRefine((given, context) => {
  if (z.iso.datetime({ offset: true }).safeParse(given).success) return;
  const remedy = /^\d{4}-\d\d-\d\d/.test(given)
    ? 'Add the time and its zone: T02:00:00Z or T02:00:00+01:00.'
    : undefined;
  mismatch(context, INSTANT, { remedy });
});

const timeOfDay = text(TIME).regex(TIME_OF_DAY, { error: TIME });

/** Hours of the day, perhaps on some days of the week only. */
export const hours = {
  days: text('days of the week such as mon-fri or sat,sun')
    .superRefine((days, context) => {
      const expected = daysProblem(days);
      if (expected !== undefined) mismatch(context, expected);
    })
    .optional()
    .describe('Days of the week on which the hours begin, as in cron. Default: every day.'),
  from: timeOfDay.describe('The first minute, on the wall clock of the time zone.'),
  to: timeOfDay.describe('The first minute after; before `from` means the next day.'),
};

const dates = text(DATES_TEXT).refine(areDates, { error: DATES_TEXT });

/** When a schedule's cadences count at all. */
export const calendarFields = {
  start: instant.optional().describe('No time before this instant is one of the schedule.'),
  end: instant.optional().describe('No time after this instant is one of the schedule.'),
  exclude: listOf(
    z.union([dates, fields(hours)], { error: `${DATES_TEXT}, or a map with from and to` }),
    'a list of dates and hours',
  )
    .optional()
    .describe('Dates and hours, in the time zone, in which nothing runs; each time in them leaves an event.'),
  dst: fields({
    gap: oneOf('shift', 'skip')
      .optional()
      .describe('A time that the clock skips: at the offset from before the change, or not at all.'),
    overlap: oneOf('once', 'twice').optional().describe('A time that comes twice: the first only, or both.'),
  })
    .optional()
    .describe(
      'Clock changes. Default: shift and once; skip and twice for a cadence whose hour field covers all 24 hours.',
    ),
};

/** When a schedule's cadences count at all, with defaults. Instants in the fixed-width form of events. */
export interface CalendarLimits {
  readonly start?: string;
  readonly end?: string;
  readonly exclude: readonly Exclusion[];
  readonly dst: ClockChangeRule;
}

/** One object for all that say nothing. */
const NO_LIMITS: CalendarLimits = { exclude: [], dst: {} };

export function calendarWithDefaults(given: {
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly exclude?: readonly Exclusion[] | undefined;
  readonly dst?: ClockChangeRule | undefined;
}): CalendarLimits {
  if (Object.keys(calendarFields).every((name) => !(name in given))) return NO_LIMITS;
  return {
    ...(given.start === undefined ? {} : { start: isoInstant(Date.parse(given.start)) }),
    ...(given.end === undefined ? {} : { end: isoInstant(Date.parse(given.end)) }),
    exclude: given.exclude ?? [],
    dst: given.dst ?? {},
  };
}
