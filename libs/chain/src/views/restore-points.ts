import type { BackupView, RestorePointView } from '@catena/events';
import { isDataBackup, usableAmong } from './chains.ts';

/** The times that a restore can reach without logs: the end of every usable data backup, newest first. */
export function restorePointsOf(backups: readonly BackupView[]): RestorePointView[] {
  const usable = usableAmong(backups);
  return backups
    .filter((backup) => isDataBackup(backup) && usable(backup))
    .map(({ source, repository, asOf, backup, type, copyOnly, chain }) => ({
      source,
      repository,
      at: asOf,
      backup,
      type,
      copyOnly,
      chain,
    }))
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : a.backup.localeCompare(b.backup)));
}
