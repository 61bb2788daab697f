import { isInWindow, nextOpening } from '../calendar/hour-window.ts';
import { isoInstant, millisecondsOf } from '../calendar/recurrence.ts';
import type { CollectionKnowledge } from './collection-knowledge.ts';
import type { LiveSchedule } from './live-schedule.ts';
import type { ScheduleState } from './schedule-state.ts';

/**
 * The instant of the first full that a schedule still owes (rule 3.2); nothing when its fulls simply follow their
 * cadence. It is owed again when the schedule turns to another source or repository. "Now" is the instant of the
 * definition, not of the tick, so every scheduler names the run alike; where runs may start in some hours only, it is
 * when those begin.
 */
export function owedFirstRun(
  live: LiveSchedule,
  state: ScheduleState,
  knowledge: CollectionKnowledge,
): string | undefined {
  const owed = wantedFirstRun(live, state, knowledge);
  const { timeZone, policies } = live.spec;
  if (owed === undefined || policies.window === undefined) return owed;
  const at = millisecondsOf(owed);
  if (isInWindow(policies.window, at, timeZone)) return owed;
  const opening = nextOpening(policies.window, at, timeZone);
  return opening === undefined ? undefined : isoInstant(opening);
}

function wantedFirstRun(
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
