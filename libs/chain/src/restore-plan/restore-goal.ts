import { comparePositions, type Position } from '../position.ts';
import type { RestorableBackup } from './restorable.ts';
import type { RestorePlace } from './restore-plan.ts';

/** What a plan is to reach, once it is known where that lies. */
export type Goal =
  | { readonly kind: 'newest'; readonly place: RestorePlace | undefined }
  | { readonly kind: 'time'; readonly at: string }
  | {
      readonly kind: 'position';
      readonly position: Position;
      readonly stop: string;
      readonly isMark?: boolean;
    }
  /** Somewhere in the log between. */
  | { readonly kind: 'stretch'; readonly from: Position; readonly to: Position; readonly stop: string };

/** Whether a data backup can be where the way to the goal begins. */
export function endsBeforeGoal(goal: Goal, point: RestorableBackup): boolean {
  if (goal.kind === 'time') return point.asOf <= goal.at;
  if (goal.kind === 'stretch') return comparePositions(point.position, goal.from) <= 0;
  return goal.kind === 'newest' || comparePositions(point.position, goal.position) <= 0;
}

/** Whether the goal lies at the place or before it. */
export function isReached(
  goal: Goal,
  place: RestorePlace,
  isLater: (a: RestorePlace, b: RestorePlace) => boolean,
): boolean {
  if (goal.kind === 'time') return place.at !== null && place.at >= goal.at;
  if (goal.kind === 'newest') return goal.place === undefined || !isLater(goal.place, place);
  return comparePositions(place.position, goal.kind === 'stretch' ? goal.to : goal.position) >= 0;
}

/** Where inside the last log the restore stops; undefined when it takes all of it. */
export function stopOf(goal: Goal): string | undefined {
  if (goal.kind === 'time') return goal.at;
  return goal.kind === 'newest' ? undefined : goal.stop;
}
