import { comparePositions } from '../position.ts';
import { ForkPath, type ForkOrigin } from '../restore-plan/fork-path.ts';
import type { CollectedBackup, CollectionState, UnusableReason } from './collection-state.ts';

/** Whether a backup can be restored and extended, and if not, because of which backup. */
export type Standing =
  | { readonly usable: true }
  | { readonly usable: false; readonly reason: UnusableReason | 'unknown'; readonly through: string };

const USABLE: Standing = { usable: true };

/**
 * Follows the closure: a backup is as good as every object it needs. An expired one is no restore point itself, but its
 * objects are there for those that need them (rules.md 5.4).
 */
export function standingOf(state: CollectionState, backup: string): Standing {
  const known = state.backups.get(backup);
  if (known === undefined) return { usable: false, reason: 'unknown', through: backup };
  const own = state.unusable.get(backup);
  if (own !== undefined) return { usable: false, reason: own, through: backup };
  for (const needed of known.closure) {
    const reason = state.unusable.get(needed);
    if (reason !== undefined && reason !== 'expired') return { usable: false, reason, through: needed };
    if (!state.backups.has(needed)) return { usable: false, reason: 'unknown', through: needed };
  }
  return USABLE;
}

/**
 * What the source is: what a person accepted, else the family of the newest conventional full; undefined while there is
 * none.
 */
export function familyOf(state: CollectionState): string | undefined {
  if (state.acceptedFamily !== undefined) return state.acceptedFamily;
  let newest: CollectedBackup | undefined;
  for (const backup of state.backups.values()) {
    if (!isConventionalFull(backup)) continue;
    if (newest === undefined || isNewerFull(state, backup, newest)) newest = backup;
  }
  return newest?.family;
}

/**
 * The differential base: the newest conventional full, or none when that one cannot be used or is not on the source's
 * branch. An older full does not take its place (rules.md section 1, rows "base or parent found damaged" and "recovered").
 */
export function differentialBaseOf(state: CollectionState): CollectedBackup | undefined {
  const family = familyOf(state);
  let newest: CollectedBackup | undefined;
  for (const backup of state.backups.values()) {
    if (!isConventionalFull(backup) || backup.family !== family) continue;
    if (newest === undefined || isNewerFull(state, backup, newest)) newest = backup;
  }
  return newest !== undefined && canBeExtended(state, pathOf(state), newest) ? newest : undefined;
}

/**
 * The newest usable data backup: what an incremental is computed from. One that finished after a newer full stays in
 * its old chain, so chains are compared before positions. Copy-only backups never count.
 * @param chain only of this chain (rules.md 1.9).
 */
export function newestDataBackupOf(state: CollectionState, chain?: string): CollectedBackup | undefined {
  const family = familyOf(state);
  const path = pathOf(state);
  let newest: CollectedBackup | undefined;
  for (const backup of state.backups.values()) {
    if (backup.copyOnly || backup.type === 'log' || backup.family !== family) continue;
    if (chain !== undefined && backup.chain !== chain) continue;
    if (newest !== undefined && compareInChains(state, backup, newest) <= 0) continue;
    if (canBeExtended(state, path, backup)) newest = backup;
  }
  return newest;
}

/** Whether something can be computed from the backup now: it is usable, and the source still is on its way. */
export function isExtendable(state: CollectionState, backup: CollectedBackup): boolean {
  return backup.family === familyOf(state) && canBeExtended(state, pathOf(state), backup);
}

function canBeExtended(state: CollectionState, path: ForkPath | undefined, backup: CollectedBackup): boolean {
  const isOnPath = path === undefined || path.holds(backup.fork, backup.position);
  return isOnPath && standingOf(state, backup.backup).usable;
}

/** The way to the branch that the source is on; undefined for a source that has none. */
function pathOf(state: CollectionState): ForkPath | undefined {
  if (state.fork === undefined) return undefined;
  const origins = new Map<string, ForkOrigin>();
  for (const [fork, origin] of state.forks) if (origin !== undefined) origins.set(fork, origin);
  return new ForkPath(state.fork, origins);
}

function isConventionalFull(backup: CollectedBackup): boolean {
  return backup.type === 'full' && !backup.copyOnly;
}

/** Positions of two families say nothing about each other; there time decides. */
function isNewerFull(state: CollectionState, a: CollectedBackup, b: CollectedBackup): boolean {
  return a.family === b.family ? compare(state, a, b) > 0 : a.asOf > b.asOf;
}

function compareInChains(state: CollectionState, a: CollectedBackup, b: CollectedBackup): number {
  if (a.chain !== b.chain) {
    const [left, right] = [state.backups.get(a.chain), state.backups.get(b.chain)];
    if (left !== undefined && right !== undefined) return compare(state, left, right);
  }
  return compare(state, a, b);
}

/** A newer branch is newer, though its positions may be lower. */
function compare(state: CollectionState, a: CollectedBackup, b: CollectedBackup): number {
  const generations = generationOf(state, a) - generationOf(state, b);
  return generations || comparePositions(a.position, b.position);
}

function generationOf(state: CollectionState, backup: CollectedBackup): number {
  if (backup.fork === undefined || state.forks.size < 2) return 0;
  return [...state.forks.keys()].indexOf(backup.fork);
}
