import { CatenaError } from '@catena/events';
import { evaluateRetention, type GonePoint, type KeptPoint } from './evaluate-retention.ts';
import type { RetentionPolicy } from './policy.ts';
import type { RetentionPoint } from './point.ts';
import { readRetentionPolicy } from './read-policy.ts';
import { readInstant, readRetentionPoints } from './read-points.ts';
import { dateText, ZoneCalendar } from './zone-calendar.ts';

/** What `catena simulate retention` is given. */
export interface RetentionSimulation {
  /** `spec.retention`, parsed from YAML or JSON. */
  readonly policy: unknown;
  /** The backups, parsed from JSON. */
  readonly backups: unknown;
  /** The time to look from; backups after it are not there yet. Default `now`, with all backups. */
  readonly at?: string | undefined;
  /** Goes on day by day until then; backups of the list appear on their day. */
  readonly until?: string | undefined;
  /** The clock of the caller, ISO 8601. */
  readonly now: string;
  /** The zone of the schedule; default UTC. */
  readonly timeZone?: string | undefined;
}

/** Bytes of what stays for itself, stays for others, and goes; only of backups that say their bytes. */
export interface RetentionBytes {
  readonly kept: number;
  readonly retained: number;
  readonly deleted: number;
}

/** What happens on one day. Days on which nothing happens are left out. */
export interface RetentionDay {
  readonly date: string;
  readonly delete: readonly GonePoint[];
  /** No restore points any more from this day on; their objects stay for what needs them. */
  readonly expire: readonly (GonePoint & { readonly neededBy: string })[];
  readonly bytesDeleted: number;
}

/** The answer of `catena simulate retention`. */
export interface RetentionAnswer {
  readonly keep: readonly KeptPoint[];
  readonly delete: readonly GonePoint[];
  readonly bytes: RetentionBytes;
  readonly days?: readonly RetentionDay[];
}

/** A simulation longer than this is refused: it would show a person nothing. */
const MOST_DAYS = 40 * 366;

/**
 * Answers what a policy does to a list of backups: what stays, what goes, when and why (rules.md 5.8). Deletes nothing.
 * @throws CatenaError of `readRetentionPolicy`, `readRetentionPoints`, `retention.zone-unknown`, `retention.until-wrong`.
 */
export function simulateRetention(simulation: RetentionSimulation): RetentionAnswer {
  const calendar = new ZoneCalendar(simulation.timeZone);
  const policy = readRetentionPolicy(simulation.policy);
  const points = readRetentionPoints(simulation.backups, calendar);
  const at = simulation.at;
  const now = readInstant(at ?? simulation.now, 'at', calendar);
  const there = at === undefined ? points : points.filter((point) => point.time <= now);
  const verdict = evaluateRetention(policy, there, { now, calendar });
  const answer = { ...verdict, bytes: bytesOf(points, verdict) };
  if (simulation.until === undefined) return answer;
  const until = calendar.dayOf(readInstant(simulation.until, 'until', calendar));
  const first = calendar.dayOf(now);
  if (until < first || until - first > MOST_DAYS) {
    throw new CatenaError(
      'retention.until-wrong',
      `until ${dateText(until)} is ${until < first ? 'before' : 'more than 40 years after'} ${dateText(first)}.`,
      { remedy: 'Give a day after the one the simulation starts on.' },
    );
  }
  return { ...answer, days: dayByDay(policy, points, first, until, calendar) };
}

function dayByDay(
  policy: RetentionPolicy,
  points: readonly RetentionPoint[],
  first: number,
  until: number,
  calendar: ZoneCalendar,
): RetentionDay[] {
  const days: RetentionDay[] = [];
  const deleted = new Set<string>();
  const expired = new Set<string>();
  const bytes = new Map(points.map((point) => [point.id, point.bytes ?? 0]));
  for (let day = first; day <= until; day += 1) {
    const now = calendar.endOfDay(day);
    const past = points.filter((point) => point.time <= now);
    const present = past.filter((point) => !deleted.has(point.id));
    const verdict = evaluateRetention(policy, present, { now, calendar }, past);
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

function bytesOf(
  points: readonly RetentionPoint[],
  verdict: { readonly keep: readonly KeptPoint[]; readonly delete: readonly GonePoint[] },
): RetentionBytes {
  const bytes = new Map(points.map((point) => [point.id, point.bytes ?? 0]));
  const sum = (ids: readonly { readonly id: string }[]) =>
    ids.reduce((total, { id }) => total + (bytes.get(id) ?? 0), 0);
  return {
    kept: sum(verdict.keep.filter((point) => point.retainedFor === undefined)),
    retained: sum(verdict.keep.filter((point) => point.retainedFor !== undefined)),
    deleted: sum(verdict.delete),
  };
}
