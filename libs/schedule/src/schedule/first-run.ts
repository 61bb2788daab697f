import type { CollectionKnowledge } from './collection-knowledge.ts';
import type { LiveSchedule } from './live-schedule.ts';
import type { ScheduleState } from './schedule-state.ts';

/**
 * The instant of the first full that a schedule still owes (rule 3.2); nothing when its fulls simply follow their
 * cadence. It is owed again when the schedule turns to another source or repository. "Now" is the instant of the
 * definition, not of the tick, so every scheduler names the run alike.
 */
export function owedFirstRun(
  live: LiveSchedule,
  state: ScheduleState,
  knowledge: CollectionKnowledge,
): string | undefined {
  const { firstRun } = live.spec;
  const start = live.targetSince;
  if (firstRun === 'scheduled' || !live.cadences.some(({ cadence }) => cadence === 'full')) return undefined;
  if (state.decided.full !== undefined && state.decided.full >= start) return undefined;
  if (firstRun === 'now') return start;
  if (firstRun !== undefined && firstRun > start) return firstRun;
  if (firstRun !== undefined && start === live.createdAt) return start;
  return knowledge.usableFull || knowledge.firstFull === 'pending' ? undefined : start;
}
