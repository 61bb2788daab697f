import { CatenaError, type BackupView } from '@catena/events';
import { evaluateRetention } from '../retention/evaluate-retention.ts';
import type { RetentionPolicy } from '../retention/policy.ts';
import type { RetentionPoint } from '../retention/point.ts';
import { retentionDays } from '../retention/retention-days.ts';
import type { ZoneCalendar } from '../retention/zone-calendar.ts';
import { backupAmbiguous, backupUnknown, isNamedBy } from '../run/find-backup.ts';

/** What `catena explain` is told besides the backups. */
export interface ExplainContext {
  /** The policy that decides about the backup; undefined when there is none. */
  readonly policy?: RetentionPolicy | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  readonly calendar: ZoneCalendar;
  readonly isManual?: (backup: BackupView) => boolean;
  /** What holds a backup whatever the policy says: a pin, a lease. */
  readonly holdsOf?: (backup: BackupView) => readonly string[];
  /** Data backups that the schedule is going to take: without them a rule that counts never lets anything go. */
  readonly upcoming?: readonly { readonly time: number; readonly type: BackupView['type'] }[];
  /** How far to look ahead, in days; default 400. */
  readonly days?: number;
}

/** Why a backup exists, what hangs together with it, and when it will go. */
export interface BackupExplanation {
  readonly backup: BackupView;
  /** What it needs, oldest first, and how. */
  readonly dependsOn: readonly {
    readonly backup: string;
    readonly as: 'base' | 'parent' | 'closure';
    readonly state: BackupView['state'] | 'unknown';
  }[];
  /** What needs it, oldest first; `direct` when it is its parent or base. */
  readonly neededBy: readonly { readonly backup: string; readonly direct: boolean }[];
  /** Why it stays now; empty when it goes now. */
  readonly kept: readonly string[];
  /** The day on which it is no restore point any more, and by which rule; absent when that is not in sight. */
  readonly expires?: { readonly date: string; readonly rule: string };
  /** The day on which its objects may go: nothing needs them any more. */
  readonly goes?: { readonly date: string; readonly rule: string };
}

const DAYS_AHEAD = 400;

/**
 * Explains one backup (`catena explain`).
 * @param backups of its collection, with what they depend on.
 * @param id of the backup, or its beginning.
 * @throws CatenaError `chain.backup-unknown`, `chain.backup-ambiguous`.
 */
export function explainBackup(
  backups: readonly BackupView[],
  id: string,
  context: ExplainContext,
): BackupExplanation {
  const backup = find(backups, id);
  const points = backups
    .filter((one) => one.collection === backup.collection && isThere(one) && one.state !== 'expired')
    .map((one) => pointOf(one, context));
  const { now, calendar, policy } = context;
  const neededBy = dependentsOf(backups, backup);
  const about = { backup, dependsOn: dependenciesOf(backups, backup), neededBy };
  if (backup.state === 'expired') {
    const standing = new Set(points.map(({ id }) => id));
    const users = neededBy.map((one) => one.backup).filter((id) => standing.has(id));
    const goes = policy === undefined ? undefined : lastToGo(policy, points, backup, users, context);
    return { ...about, kept: users.map((id) => `needed by ${id}`), ...(goes === undefined ? {} : { goes }) };
  }
  const verdict = evaluateRetention(policy, points, { now, calendar });
  const kept = verdict.keep.find((one) => one.id === backup.backup)?.reasons ?? [];
  return { ...about, kept, ...(policy === undefined ? {} : end(policy, points, backup, context)) };
}

/** An expired backup goes when the last that needs it does. */
function lastToGo(
  policy: RetentionPolicy,
  points: readonly RetentionPoint[],
  backup: BackupView,
  users: readonly string[],
  context: ExplainContext,
): BackupExplanation['goes'] {
  const open = new Set(users);
  for (const day of daysAhead(policy, points, backup, context)) {
    for (const { id } of day.delete) {
      if (open.delete(id) && open.size === 0) return { date: day.date, rule: `nothing needs it after ${id}` };
    }
  }
  return undefined;
}

function end(
  policy: RetentionPolicy,
  points: readonly RetentionPoint[],
  backup: BackupView,
  context: ExplainContext,
): Pick<BackupExplanation, 'expires' | 'goes'> {
  let expires: BackupExplanation['expires'];
  for (const day of daysAhead(policy, points, backup, context)) {
    const expired = day.expire.find((one) => one.id === backup.backup);
    if (expired !== undefined) expires ??= { date: day.date, rule: expired.reason };
    const gone = day.delete.find((one) => one.id === backup.backup);
    if (gone === undefined) continue;
    const goes = { date: day.date, rule: gone.reason };
    return { expires: expires ?? goes, goes };
  }
  return expires === undefined ? {} : { expires };
}

function daysAhead(
  policy: RetentionPolicy,
  points: readonly RetentionPoint[],
  backup: BackupView,
  context: ExplainContext,
): ReturnType<typeof retentionDays> {
  const { calendar, now } = context;
  const first = calendar.dayOf(now);
  const future = (context.upcoming ?? []).map((one, index) => upcomingPoint(one, index, backup.collection));
  const last = first + (context.days ?? DAYS_AHEAD);
  return retentionDays(policy, [...points, ...future], { first, until: last }, calendar);
}

function dependenciesOf(backups: readonly BackupView[], backup: BackupView): BackupExplanation['dependsOn'] {
  const states = new Map(backups.map((one) => [one.backup, one.state]));
  return backup.closure.map((id) => ({
    backup: id,
    as: id === backup.parent ? 'parent' : id === backup.base ? 'base' : 'closure',
    state: states.get(id) ?? 'unknown',
  }));
}

function dependentsOf(backups: readonly BackupView[], backup: BackupView): BackupExplanation['neededBy'] {
  return backups
    .filter((one) => one.closure.includes(backup.backup) && isThere(one))
    .sort((a, b) => (a.asOf < b.asOf ? -1 : 1))
    .map((one) => ({
      backup: one.backup,
      direct: (one.parent ?? one.base) === backup.backup,
    }));
}

function pointOf(backup: BackupView, context: ExplainContext): RetentionPoint {
  return {
    id: backup.backup,
    time: Date.parse(backup.asOf),
    type: backup.type,
    copyOnly: backup.copyOnly,
    manual: context.isManual?.(backup) ?? false,
    tags: [],
    holds: context.holdsOf?.(backup) ?? [],
    usable: backup.state === 'usable',
    needs: backup.closure,
    group: backup.collection,
    bytes: backup.bytesAdded,
    place: { family: backup.family, position: backup.position },
  };
}

function upcomingPoint(
  upcoming: { readonly time: number; readonly type: BackupView['type'] },
  index: number,
  collection: string,
): RetentionPoint {
  return {
    ...upcoming,
    id: `upcoming ${index}`,
    copyOnly: false,
    manual: false,
    tags: [],
    holds: [],
    usable: true,
    needs: [],
    group: collection,
    bytes: undefined,
  };
}

function isThere(backup: BackupView): boolean {
  return backup.state !== 'deleted' && backup.state !== 'condemned';
}

function find(backups: readonly BackupView[], id: string): BackupView {
  const exact = backups.find((one) => one.backup === id);
  if (exact !== undefined) return exact;
  const matches = backups.filter((one) => isNamedBy(one.backup, id));
  const [only, second] = matches;
  if (only !== undefined && second === undefined) return only;
  const ids = matches.map((one) => one.backup);
  const { code, message, remedy } =
    only === undefined ? backupUnknown(id, 'the list') : backupAmbiguous(id, ids);
  throw new CatenaError(code, message, { remedy });
}
