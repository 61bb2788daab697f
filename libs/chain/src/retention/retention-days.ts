import type { ForkOrigins } from './branches.ts';
import { evaluateRetention, type GonePoint } from './evaluate-retention.ts';
import type { RetentionPolicy } from './policy.ts';
import type { RetentionPoint } from './point.ts';
import { dateText, type ZoneCalendar } from './zone-calendar.ts';

/** What happens on one day. Days on which nothing happens are left out. */
export interface RetentionDay {
  readonly date: string;
  readonly delete: readonly GonePoint[];
  /** No restore points any more from this day on; their objects stay for what needs them. */
  readonly expire: readonly (GonePoint & { readonly neededBy: string })[];
  readonly bytesDeleted: number;
}

/**
 * Goes on day by day, looking at the end of each: points appear on their day, and what goes does not come back.
 * Days are counted since 1970-01-01 in the zone.
 */
export function retentionDays(
  policy: RetentionPolicy,
  points: readonly RetentionPoint[],
  { first, until }: { readonly first: number; readonly until: number },
  calendar: ZoneCalendar,
  forks: ForkOrigins = new Map(),
): RetentionDay[] {
  const days: RetentionDay[] = [];
  const deleted = new Set<string>();
  const expired = new Set<string>();
  const bytes = new Map(points.map((point) => [point.id, point.bytes ?? 0]));
  for (let day = first; day <= until; day += 1) {
    const now = calendar.endOfDay(day);
    const past = points.filter((point) => point.time <= now);
    const present = past.filter((point) => !deleted.has(point.id));
    const verdict = evaluateRetention(policy, present, { now, calendar }, past, forks);
    const expire = verdict.keep.flatMap((point) => {
      const { id, retainedFor, expired: reason } = point;
      if (retainedFor === undefined || reason === undefined || expired.has(id)) return [];
      expired.add(id);
      return [{ id, reason, neededBy: retainedFor }];
    });
    for (const point of verdict.delete) deleted.add(point.id);
    if (verdict.delete.length === 0 && expire.length === 0) continue;
    const bytesDeleted = verdict.delete.reduce((sum, point) => sum + (bytes.get(point.id) ?? 0), 0);
    days.push({ date: dateText(day), delete: verdict.delete, expire, bytesDeleted });
  }
  return days;
}
