import { ForkPath, type ForkOrigin } from '../restore-plan/fork-path.ts';
import { ownerOfTarget } from '../restore-plan/target-owner.ts';
import { comparePositions, type Position } from '../position.ts';
import { endOf, type HistorySet } from './history-set.ts';

/** What owns a target: a family and a way through its forks. */
export interface HistoryPath {
  holds(set: HistorySet): boolean;
}

/**
 * Chooses what owns the target: the newest by time, not by LSN (sqlserver.md section 3, step 2). For a time that is
 * the fork of the first set that finished at or after it.
 * @param timeOf how this history's times compare.
 * @param target same scale; undefined for the newest.
 */
export function historyPathTo(
  sets: readonly HistorySet[],
  timeOf: (set: HistorySet) => number | undefined,
  target: number | undefined,
): HistoryPath {
  const withFamily = sets.filter((set) => set.family !== undefined);
  const family = ownerOfTarget(withFamily, timeOf, target)?.family;
  const inFamily = (set: HistorySet) =>
    family === undefined || set.family === undefined || set.family === family;
  const relatives = sets.filter(inFamily);
  const withFork = relatives.filter((set) => forkOf(set) !== undefined);
  const owner = ownerOfTarget(withFork, timeOf, target);
  const fork = owner && forkOf(owner);
  if (fork === undefined) return { holds: inFamily };
  const path = new ForkPath(fork, originsOf(relatives));
  return {
    holds: (set) => inFamily(set) && path.holds(forkOf(set), endOf(set)) && path.crosses(set.firstFork),
  };
}

function forkOf(set: HistorySet): string | undefined {
  return set.lastFork ?? set.firstFork;
}

/** A log that begins on one fork and ends on another crosses the fork point; a differential's base lies before it. */
function originsOf(sets: readonly HistorySet[]): ReadonlyMap<string, ForkOrigin> {
  const origins = new Map<string, ForkOrigin>();
  const bases = new Map(sets.map((set) => [set.guid, set]));
  const note = (fork: string | undefined, parent: string | undefined, at: Position | undefined) => {
    if (fork === undefined || parent === undefined || fork === parent || at === undefined) return;
    const known = origins.get(fork);
    if (known === undefined || comparePositions(at, known.at) > 0) origins.set(fork, { parent, at });
  };
  for (const set of sets) {
    if (set.type === 'log') note(set.lastFork, set.firstFork, set.forkPointLsn ?? set.firstLsn);
    const base = set.differentialBaseGuid === undefined ? undefined : bases.get(set.differentialBaseGuid);
    if (base !== undefined) note(set.lastFork, base.lastFork, endOf(base));
  }
  return origins;
}
