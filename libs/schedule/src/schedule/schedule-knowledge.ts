import type { CollectionKnowledge } from './collection-knowledge.ts';
import type { LiveSchedule } from './live-schedule.ts';
import type { RunsSeen } from './runs-seen.ts';

/** What a schedule must know about the world beside its own history. */
export interface ScheduleKnowledge extends CollectionKnowledge {
  /** A data run of its collection that is not over, whoever asked for it. */
  readonly openData?: string | undefined;
  /** A log run of its collection that is not over, whoever asked for it. */
  readonly openLog?: string | undefined;
  /** A copy-only run of its own that is not over. */
  readonly openCopyOnly?: string | undefined;
  /** An open run of a schedule that it comes after. */
  readonly before?: string | undefined;
  /** The last run of a schedule that it comes after, if that failed. */
  readonly failedBefore?: string | undefined;
  /** Its own failed runs in a row, and the last of them. */
  readonly failures?: { readonly count: number; readonly run: string; readonly at: string } | undefined;
}

/**
 * Gathers what is known of runs.
 * @param uidOf the uid of a schedule that is defined now
 */
export function scheduleKnowledge(
  live: LiveSchedule,
  collection: CollectionKnowledge,
  runs: RunsSeen,
  uidOf: (schedule: string) => string | undefined,
): ScheduleKnowledge {
  const { source, repository, policies } = live.spec;
  const before = policies.after.flatMap((name) => uidOf(name) ?? []);
  const { failures, last } = runs.outcomesOf(live.uid);
  const lasts = before.map((uid) => runs.outcomesOf(uid).last);
  return {
    ...collection,
    openData: runs.openAt(source, repository),
    openLog: runs.openLogAt(source, repository),
    openCopyOnly: runs.openOf(live.uid).findLast(({ cadence }) => cadence === 'copyOnly')?.run,
    before: before.flatMap((uid) => runs.openOf(uid)).at(-1)?.run,
    failedBefore: lasts.find((one) => one?.outcome === 'failed' || one?.outcome === 'refused')?.run,
    failures: failures > 0 && last ? { count: failures, run: last.run, at: last.at } : undefined,
  };
}
