import type { OverlapPolicy } from '../definitions/kinds/policies.ts';
import type { LiveCadence, LiveSchedule } from './live-schedule.ts';
import type { ScheduleKnowledge } from './schedule-knowledge.ts';
import { laneOf, type Lane } from './schedule-state.ts';

/** What stands in the way of a due time, and what that makes of it. */
export type Obstacle =
  | { readonly kind: 'delay'; readonly reason: 'overlap' | 'cancelPrevious' | 'after'; readonly by: string }
  | { readonly kind: 'skip'; readonly reason: 'overlap' | 'dependencyFailed'; readonly by: string };

/** Rules 3.6 and 3.7, and schedules that come after others; nothing when it may start. */
export function obstacleOf(
  live: LiveSchedule,
  cadence: LiveCadence,
  knowledge: ScheduleKnowledge,
): Obstacle | undefined {
  const { before, failedBefore } = knowledge;
  if (before !== undefined) return { kind: 'delay', reason: 'after', by: before };
  if (failedBefore !== undefined) return { kind: 'skip', reason: 'dependencyFailed', by: failedBefore };
  const previous = previousOf(laneOf(cadence.cadence), knowledge);
  if (previous === undefined) return undefined;
  switch (overlapPolicyOf(live, cadence)) {
    case 'wait':
      return { kind: 'delay', reason: 'overlap', by: previous };
    case 'cancelPrevious':
      return { kind: 'delay', reason: 'cancelPrevious', by: previous };
    case 'skip':
      return { kind: 'skip', reason: 'overlap', by: previous };
    case 'start':
      return undefined;
  }
}

function previousOf(lane: Lane, { openData, openLog, openCopyOnly }: ScheduleKnowledge): string | undefined {
  return { data: openData, log: openLog, copyOnly: openCopyOnly }[lane];
}

function overlapPolicyOf({ spec }: LiveSchedule, { cadence }: LiveCadence): OverlapPolicy {
  return spec.cadences[cadence]?.onPreviousRunning ?? spec.policies.onPreviousRunning;
}
