import type { Failure } from '@catena/events';
import type { CollectedBackup, CollectionState } from '../collection/collection-state.ts';

/** A backup with the collection that owns it, or why the text does not name one. */
export type FoundBackup =
  | { readonly kind: 'found'; readonly state: CollectionState; readonly backup: CollectedBackup }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** Finds the backup whose id is the text, or the only one whose id begins with it; `bkp-` may be left out. */
export function findBackup(
  collections: readonly CollectionState[],
  text: string,
  repository: string,
): FoundBackup {
  const matches: { state: CollectionState; backup: CollectedBackup }[] = [];
  for (const state of collections) {
    for (const backup of state.backups.values()) {
      if (backup.backup === text) return { kind: 'found', state, backup };
      if (isNamedBy(backup.backup, text)) matches.push({ state, backup });
    }
  }
  const [only, second] = matches;
  if (only !== undefined && second === undefined) return { kind: 'found', ...only };
  return {
    kind: 'refused',
    failure:
      only === undefined
        ? backupUnknown(text, repository)
        : backupAmbiguous(
            text,
            matches.map((one) => one.backup.backup),
          ),
  };
}

/** Whether the text is the beginning of the id, with or without `bkp-`. */
export function isNamedBy(id: string, text: string): boolean {
  return text !== '' && (id.startsWith(text) || id.startsWith(`bkp-${text}`));
}

export function backupUnknown(text: string, place: string): Failure {
  return {
    code: 'chain.backup-unknown',
    message: `No backup in ${place} has an id that begins with "${text}".`,
    remedy: 'catena backups lists them.',
    retryable: false,
  };
}

export function backupAmbiguous(text: string, ids: readonly string[]): Failure {
  const shown = ids.slice(0, 3).join(', ');
  return {
    code: 'chain.backup-ambiguous',
    message: `${ids.length} backups have ids that begin with "${text}": ${shown}${ids.length > 3 ? ', …' : ''}.`,
    remedy: 'Give more of the id.',
    retryable: false,
  };
}
