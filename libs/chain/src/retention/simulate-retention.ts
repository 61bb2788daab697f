import { CatenaError } from '@catena/events';
import { retentionDays, type RetentionDay } from './retention-days.ts';
import { evaluateRetention, type GonePoint, type KeptPoint } from './evaluate-retention.ts';
import type { RetentionPoint } from './point.ts';
import { readRetentionPolicy } from './read-policy.ts';
import { readForkOrigins, readInstant, readRetentionPoints } from './read-points.ts';
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
  const forks = readForkOrigins(simulation.backups);
  const verdict = evaluateRetention(policy, there, { now, calendar }, there, forks);
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
  return { ...answer, days: retentionDays(policy, points, { first, until }, calendar, forks) };
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
