import { comparePositions } from '../position.ts';
import type { RestorableBackup } from './restorable.ts';
import type { RestorePlace } from './restore-plan.ts';

/** Tells which of two places is the later one, among the places of some backups. */
export function orderOfPlaces(
  backups: readonly RestorableBackup[],
): (a: RestorePlace, b: RestorePlace) => boolean {
  return hasOnePosition(backups) ? laterByPosition : laterByTime;
}

/** Where a backup ends. */
export function placeOf(backup: RestorableBackup): RestorePlace {
  return { at: backup.asOf, position: backup.position };
}

/**
 * Positions compare when the source has a coordinate of its own, or all backups are of one collection; the snapshot
 * sequences of two collections do not.
 */
function hasOnePosition(backups: readonly RestorableBackup[]): boolean {
  const [first] = backups;
  return backups.every((one) => one.repository === first?.repository) || backups.some(hasCoordinate);
}

function hasCoordinate(backup: RestorableBackup): boolean {
  return backup.fork !== undefined || backup.type === 'log';
}

function laterByPosition(a: RestorePlace, b: RestorePlace): boolean {
  return (comparePositions(a.position, b.position) || compareTimes(a, b)) > 0;
}

function laterByTime(a: RestorePlace, b: RestorePlace): boolean {
  return (compareTimes(a, b) || comparePositions(a.position, b.position)) > 0;
}

function compareTimes(a: RestorePlace, b: RestorePlace): number {
  const [left, right] = [a.at ?? '', b.at ?? ''];
  return left < right ? -1 : left > right ? 1 : 0;
}
