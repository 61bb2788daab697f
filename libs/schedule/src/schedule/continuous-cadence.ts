/** A cadence whose runs follow on each other: its log is streamed all the time. */
import type { EffectiveCadence } from '../cadence/effective-cadences.ts';
import { CONTINUOUS } from '../calendar/rhythm.ts';
import type { LiveCadence, LiveSchedule } from './live-schedule.ts';
import { obstacleOf } from './obstacle.ts';
import type { ScheduleKnowledge } from './schedule-knowledge.ts';

export function isContinuous({ rhythm }: Pick<EffectiveCadence, 'rhythm'>): boolean {
  return rhythm === CONTINUOUS;
}

/**
 * Whether nothing of a cadence can be due now. What is continuous is due when nothing stands in its way, and misses
 * nothing while something does: there is no event for each second of that.
 */
export function isHeldBack(live: LiveSchedule, cadence: LiveCadence, knowledge: ScheduleKnowledge): boolean {
  if (!isContinuous(cadence)) return false;
  return knowledge.firstFull !== 'completed' || obstacleOf(live, cadence, knowledge) !== undefined;
}
