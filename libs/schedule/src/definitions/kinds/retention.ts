import type { z } from 'zod';
import { fields, listOf, mismatch, text, wholeNumber } from '../shape/building-blocks.ts';

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const WEEKS = ['first', 'second', 'third', 'fourth', 'last'];

const duration = text('a duration such as 14d or 1y6m2w3d4h')
  .regex(/^(?=.*[1-9])(\d+y)?(\d+m)?(\d+w)?(\d+d)?(\d+h)?$/, {
    error: 'a duration such as 14d or 1y6m2w3d4h (years, months, weeks, days, hours), longer than nothing',
  })
  .describe('Years, months, weeks, days and hours: 1y6m2w3d4h.');
const amount = wholeNumber(-1, 'a whole number, or -1 for all of them');
const positive = wholeNumber(1, 'a whole number from 1');

function named(names: readonly string[]) {
  const expected = `one of ${names.join(', ')}`;
  const forms = names.flatMap((name) => [name, name.slice(0, 3)]);
  return text(expected)
    .refine((name) => names.includes(name) || forms.includes(name.toLowerCase()), { error: expected })
    .describe(expected);
}

const keep = fields({
  last: amount.optional(),
  hourly: amount.optional(),
  daily: amount.optional(),
  weekly: amount.optional(),
  monthly: amount.optional(),
  yearly: amount.optional(),
  within: duration.optional(),
  withinHourly: duration.optional(),
  withinDaily: duration.optional(),
  withinWeekly: duration.optional(),
  withinMonthly: duration.optional(),
  withinYearly: duration.optional(),
  tags: listOf(text(), 'a list of tags').optional(),
})
  .superRefine((rules, context) => {
    const rulesThatKeep = Object.values(rules).filter(
      (rule) => rule !== undefined && rule !== 0 && !(Array.isArray(rule) && rule.length === 0),
    );
    if (rulesThatKeep.length === 0) {
      mismatch(context, 'at least one rule that keeps something', {
        code: 'definition.retention',
        found: 'a policy that keeps nothing',
        remedy: 'To keep everything, leave `retention` out.',
      });
    }
  })
  .describe('Rules that overlap; a backup stays as long as one of them keeps it.');

const gfs = fields({
  weekly: fields({ keep: positive, on: named(WEEKDAYS).optional() }).optional(),
  monthly: fields({ keep: positive, week: named(WEEKS).optional() }).optional(),
  yearly: fields({ keep: positive, month: named(MONTHS).optional() }).optional(),
}).describe('Fulls kept for the long term.');

const shortTerm = { keep: keep.optional(), days: positive.optional(), points: positive.optional() };

/** The two dialects may not be mixed, and a policy says something (rules 5.1 and 5.3). */
function oneDialect(policy: Record<string, unknown>, context: z.RefinementCtx): void {
  const given = ['keep', 'days', 'points', 'gfs'].filter((name) => policy[name] !== undefined);
  const contradiction = given.includes('keep')
    ? given.length > 1
    : given.includes('days') && given.includes('points');
  if (contradiction) {
    mismatch(context, 'one dialect: either `keep`, or `days` or `points` with `gfs`', {
      code: 'definition.retention',
      found: given.join(' and '),
      remedy: 'Take one of them out.',
    });
  }
  if (Object.values(policy).every((rule) => rule === undefined)) {
    mismatch(context, 'at least one rule', {
      code: 'definition.retention',
      found: 'an empty policy',
      remedy: 'To keep everything, leave `retention` out.',
    });
  }
}

const ownPolicy = fields(shortTerm).superRefine(oneDialect);

/** What is kept how long (rules.md section 5). */
export const retention = fields({
  ...shortTerm,
  gfs: gfs.optional(),
  logs: fields({ for: duration }).optional().describe('The window in which any second can be had.'),
  copyOnly: ownPolicy.optional().describe('For copy-only backups; absent: kept.'),
  manual: ownPolicy.optional().describe('For backups by hand; absent: kept.'),
  grace: duration.optional().describe('How long an expiry can be undone.'),
})
  .superRefine(oneDialect)
  .meta({ title: 'Retention' });

export type Retention = z.infer<typeof retention>;
