import type { GfsFlag } from './gfs-flags.ts';
import type { CalendarRules } from './policy.ts';
import type { LocatedPoint } from './point.ts';
import { dateText } from './zone-calendar.ts';

/** However short the term, so many points stay (veeam.md 2.3). */
export const POINTS_FLOOR = 3;

/** What a rule set keeps and why, why the rest goes, and which of the kept are the short term. */
export interface RuleVerdict {
  readonly kept: ReadonlyMap<string, readonly string[]>;
  readonly gone: ReadonlyMap<string, string>;
  readonly shortTerm: ReadonlySet<string>;
}

/**
 * The short term by days or points and the long term by flags (veeam.md 2.3 and 2.4). Flagged fulls of older chains are
 * not counted.
 * @param points of one group, newest first.
 * @param today days since 1970-01-01 in the zone.
 */
export function keptByCalendar(
  points: readonly LocatedPoint[],
  rules: CalendarRules,
  flags: ReadonlyMap<string, readonly GfsFlag[]>,
  today: number,
): RuleVerdict {
  const kept = new Map<string, string[]>();
  const gone = new Map<string, string>();
  const shortTerm = new Set<string>();
  const newestFull = points.findIndex((point) => point.type === 'full');
  let counted = 0;
  points.forEach((point, index) => {
    const all = flags.get(point.id) ?? [];
    const active = all.filter((flag) => flag.expires > today);
    const counts = active.length === 0 || index <= newestFull;
    if (counts) counted += 1;
    const short = counts ? shortTermReasons(point, rules, counted, today) : [];
    if (short.length > 0) shortTerm.add(point.id);
    const reasons = [...short, ...active.map(flagReason)];
    if (reasons.length > 0) kept.set(point.id, reasons);
    else gone.set(point.id, goneReason(point, rules, all, today));
  });
  return { kept, gone, shortTerm };
}

function shortTermReasons(
  point: LocatedPoint,
  rules: CalendarRules,
  counted: number,
  today: number,
): string[] {
  const { days, points } = rules;
  if (days !== undefined && point.day >= today - days) return [`days ${days}`];
  if (points !== undefined && counted <= points) return [`points ${points}`];
  return counted <= POINTS_FLOOR ? [`never fewer than ${POINTS_FLOOR}`] : [];
}

function flagReason(flag: GfsFlag): string {
  const late = flag.intended === flag.assigned ? '' : ` for ${dateText(flag.intended)}`;
  return `${flag.level}${late} until ${dateText(flag.expires)}`;
}

function goneReason(
  point: LocatedPoint,
  rules: CalendarRules,
  flags: readonly GfsFlag[],
  today: number,
): string {
  const { days, points } = rules;
  const short =
    days !== undefined
      ? `${dateText(point.day)} is before ${dateText(today - days)} (days ${days})`
      : points !== undefined
        ? `not among the newest ${points} (points ${points})`
        : `not among the newest ${POINTS_FLOOR}, and no flag`;
  return [short, ...flags.map((flag) => `${flag.level} ended ${dateText(flag.expires)}`)].join('; ');
}
