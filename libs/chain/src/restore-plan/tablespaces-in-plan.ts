import { comparePositions, type Position } from '../position.ts';
import type { Availability } from './availability.ts';
import type { Goal } from './restore-goal.ts';

/**
 * Says which tablespaces the log of a plan makes. A restore looks whether it may make them: that it may not is better
 * known before.
 * @param from where the log begins that is rolled forward
 */
export function notesOfTablespaces(steps: readonly Availability[], goal: Goal, from: Position): string[] {
  // A log may begin within the data backup, and both hold it.
  const known = new Set<Position>();
  const isNew = (position: Position) => known.size < known.add(position).size;
  return steps.flatMap(({ backup: { backup, type, tablespaces = [] } }) =>
    tablespaces
      .filter(({ position }) => comparePositions(position, from) >= 0 && isNew(position))
      .filter(({ position }) => goal.kind !== 'position' || comparePositions(position, goal.position) < 0)
      .map(
        ({ path, lsn }) =>
          `${type === 'log' ? 'The log' : 'The log in'} ${backup} creates a tablespace at '${path}' (at ${lsn}): a restore ${type === 'log' ? 'beyond that' : 'from it'} is refused unless an empty folder that belongs to the server's account is at that path where it is restored.`,
      ),
  );
}
