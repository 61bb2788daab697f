import { comparePositions } from '../position.ts';
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

/** What the source is: the family of the newest conventional full; undefined while there is none. */
export function familyOf(state: CollectionState): string | undefined {
  return newestConventionalFull(state)?.family;
}

/**
 * The differential base: the newest conventional full, or none when that one cannot be used. An older full does not
 * take its place (rules.md section 1, row "base or parent found damaged").
 */
export function differentialBaseOf(state: CollectionState): CollectedBackup | undefined {
  const newest = newestConventionalFull(state);
  return newest !== undefined && standingOf(state, newest.backup).usable ? newest : undefined;
}

/**
 * The newest usable data backup: what an incremental is computed from. One that finished after a newer full stays in
 * its old chain, so chains are compared before positions. Copy-only backups never count.
 */
export function newestDataBackupOf(state: CollectionState): CollectedBackup | undefined {
  const family = familyOf(state);
  let newest: CollectedBackup | undefined;
  for (const backup of state.backups.values()) {
    if (backup.copyOnly || backup.type === 'log' || backup.family !== family) continue;
    if (newest !== undefined && compareInChains(state, backup, newest) <= 0) continue;
    if (standingOf(state, backup.backup).usable) newest = backup;
  }
  return newest;
}

function newestConventionalFull(state: CollectionState): CollectedBackup | undefined {
  let newest: CollectedBackup | undefined;
  for (const backup of state.backups.values()) {
    if (backup.type !== 'full' || backup.copyOnly) continue;
    if (newest === undefined || comparePositions(backup.position, newest.position) > 0) newest = backup;
  }
  return newest;
}

function compareInChains(state: CollectionState, a: CollectedBackup, b: CollectedBackup): number {
  const chainStart = (backup: CollectedBackup) => state.backups.get(backup.chain)?.position ?? '0';
  return comparePositions(chainStart(a), chainStart(b)) || comparePositions(a.position, b.position);
}
