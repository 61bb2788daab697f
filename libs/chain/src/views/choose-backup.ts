import { CatenaError, type BackupView } from '@catena/events';
import { backupAmbiguous, backupUnknown, isNamedBy } from '../run/find-backup.ts';
import { isDataBackup, usableAmong } from './chains.ts';

/** What a person asks for: whatever is newest, the state at an instant (ISO 8601), or a backup by (the beginning of) its id. */
export type BackupChoice = { readonly latest: true } | { readonly at: string } | { readonly backup: string };

/** What must not be used. */
export interface BackupExclusions {
  readonly copyOnly?: boolean;
  readonly differentials?: boolean;
  readonly incrementals?: boolean;
}

/** The backup to restore, with what it needs and the neighbouring times that can be had. */
export interface ChosenBackup {
  readonly backup: BackupView;
  /** What is read for it, oldest first, itself last. */
  readonly needed: readonly BackupView[];
  /** False when the backup shows an earlier time than was asked for, which is what a source without logs can give. */
  readonly reachesTarget: boolean;
  /** The next time after it that can be had. */
  readonly next?: string;
}

/**
 * Chooses the backup to restore (rules.md 2.2): the newest usable data backup at or before the target.
 * @param backups of one source, with what they depend on.
 * @throws CatenaError `chain.backup-unknown`, `chain.backup-ambiguous`, `chain.backup-unusable`, `chain.nothing-to-restore`,
 * `chain.nothing-before` (names the first time that can be had).
 */
export function chooseBackup(
  backups: readonly BackupView[],
  choice: BackupChoice,
  exclusions: BackupExclusions = {},
): ChosenBackup {
  const usable = usableAmong(backups);
  if ('backup' in choice) return named(backups, choice.backup, usable);
  const candidates = backups
    .filter((one) => isDataBackup(one) && !isExcluded(one, exclusions) && usable(one))
    .sort(byTimeThenNeeds);
  const at = 'at' in choice ? instantOf(choice.at) : undefined;
  const after = at === undefined ? candidates.length : firstAfter(candidates, at);
  const backup = candidates[after - 1];
  const next = candidates[after];
  if (backup === undefined) throw nothingBefore(backups.length, at, next);
  return {
    backup,
    needed: neededBy(backups, backup),
    reachesTarget: at === undefined || backup.asOf === at,
    ...(next === undefined ? {} : { next: next.asOf }),
  };
}

/** The last is chosen; of two that show the same, the one that needs fewer others. */
function byTimeThenNeeds(a: BackupView, b: BackupView): number {
  if (a.asOf !== b.asOf) return a.asOf < b.asOf ? -1 : 1;
  return Number(a.copyOnly) - Number(b.copyOnly) || b.closure.length - a.closure.length;
}

function named(
  backups: readonly BackupView[],
  text: string,
  usable: (backup: BackupView) => boolean,
): ChosenBackup {
  const exact = backups.find((one) => one.backup === text);
  const matches = exact === undefined ? backups.filter((one) => isNamedBy(one.backup, text)) : [exact];
  const [backup] = matches;
  if (backup === undefined) throw asError(backupUnknown(text, 'the list'));
  if (matches.length > 1) {
    throw asError(
      backupAmbiguous(
        text,
        matches.map((one) => one.backup),
      ),
    );
  }
  if (!usable(backup)) {
    throw new CatenaError(
      'chain.backup-unusable',
      `The backup ${backup.backup} cannot be restored: it or a backup it needs is damaged, missing or deleted.`,
      { remedy: 'catena backups shows the state of each; choose an earlier one or a copy.' },
    );
  }
  return { backup, needed: neededBy(backups, backup), reachesTarget: true };
}

function neededBy(backups: readonly BackupView[], backup: BackupView): BackupView[] {
  const closure = new Set(backup.closure);
  const needed = backups.filter((one) => closure.has(one.backup));
  return [...needed.sort((a, b) => (a.asOf < b.asOf ? -1 : 1)), backup];
}

function isExcluded(backup: BackupView, exclusions: BackupExclusions): boolean {
  return (
    (exclusions.copyOnly === true && backup.copyOnly) ||
    (exclusions.differentials === true && backup.type === 'differential') ||
    (exclusions.incrementals === true && backup.type === 'incremental')
  );
}

function firstAfter(sorted: readonly BackupView[], at: string): number {
  const index = sorted.findIndex((one) => one.asOf > at);
  return index === -1 ? sorted.length : index;
}

function instantOf(text: string): string {
  const instant = new Date(text);
  if (Number.isNaN(instant.getTime())) {
    throw new CatenaError('chain.time-unreadable', `"${text}" is not a time.`, {
      remedy: 'Give it as 2026-03-01T12:00:00Z or with an offset.',
    });
  }
  return instant.toISOString();
}

function nothingBefore(known: number, at: string | undefined, next: BackupView | undefined): CatenaError {
  if (at === undefined || next === undefined) {
    return new CatenaError(
      'chain.nothing-to-restore',
      known === 0 ? 'There is no backup.' : 'There is no usable backup left after the exclusions.',
      { remedy: 'catena backups lists what there is, and why it cannot be used.' },
    );
  }
  return new CatenaError('chain.nothing-before', `No usable backup shows ${at} or an earlier time.`, {
    remedy: `The first time that can be had is ${next.asOf}.`,
    details: { first: next.asOf },
  });
}

function asError(failure: { code: string; message: string; remedy?: string | undefined }): CatenaError {
  return new CatenaError(failure.code, failure.message, { remedy: failure.remedy });
}
