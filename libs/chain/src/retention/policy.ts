import type { CalendarDuration } from './duration.ts';

/** Periods of which the newest backup of each is kept, up to a count; -1 is unlimited. */
export const KEEP_COUNTS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type KeepCount = (typeof KEEP_COUNTS)[number];

/** Rules that reach back from the newest backup. */
export const KEEP_WITHIN = [
  'within',
  'withinHourly',
  'withinDaily',
  'withinWeekly',
  'withinMonthly',
  'withinYearly',
] as const;
export type KeepWithin = (typeof KEEP_WITHIN)[number];

/** The dialect of rules that overlap (rules.md 5.1, first). */
export interface KeepRules {
  readonly dialect: 'keep';
  readonly counts: Readonly<Partial<Record<KeepCount, number>>>;
  readonly within: Readonly<Partial<Record<KeepWithin, CalendarDuration>>>;
  /** A backup that has all tags of one of the lists is kept. */
  readonly tags: readonly (readonly string[])[];
}

export const WEEKDAYS = [
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
] as const;
export const MONTHS = [
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
] as const;
export const WEEKS = ['first', 'second', 'third', 'fourth', 'last'] as const;

/** Long-term flags on fulls. */
export interface GfsRules {
  /** `on`: 0 is Sunday. */
  readonly weekly?: { readonly keep: number; readonly on: number };
  readonly monthly?: { readonly keep: number; readonly week: (typeof WEEKS)[number] };
  /** `month`: from 1. */
  readonly yearly?: { readonly keep: number; readonly month: number };
}

/** The dialect of a short term and flags for the long term (rules.md 5.1, second). */
export interface CalendarRules {
  readonly dialect: 'calendar';
  readonly days?: number;
  readonly points?: number;
  readonly gfs?: GfsRules;
}

export type RetentionRules = KeepRules | CalendarRules;

/** `spec.retention`, read. Without `rules` data backups are kept. */
export interface RetentionPolicy {
  readonly rules?: RetentionRules;
  readonly logs?: { readonly for: CalendarDuration };
  readonly copyOnly?: RetentionRules;
  readonly manual?: RetentionRules;
  /** How long an expiry can be undone. */
  readonly grace?: CalendarDuration;
}
