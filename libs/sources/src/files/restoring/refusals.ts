import { RestoreError } from '../../port/restore-error.ts';
import { shownName, type ByteString } from '../../system-calls/index.ts';

/** Refusals that have to do with what is at the target already. */
export function targetExists(target: string, path: ByteString): RestoreError {
  const shown = fullPath(target, path);
  return new RestoreError('restore.targetExists', `'${shown}' exists and is not what the backup holds.`, {
    remedy: 'Restore to another place, or let what exists there be replaced (--overwrite).',
    details: { path: shown },
  });
}

export function folderInTheWay(target: string, path: ByteString): RestoreError {
  const shown = fullPath(target, path);
  return new RestoreError('restore.kindConflict', `'${shown}' is a folder, and no folder in the backup.`, {
    remedy:
      'Move the folder away, or restore to another place: a folder is never replaced with all it holds.',
    details: { path: shown },
  });
}

export function linkInTheWay(target: string, path: ByteString): RestoreError {
  const shown = fullPath(target, path);
  return new RestoreError(
    'restore.linkInTheWay',
    `'${shown}' is a symbolic link where the backup has a folder; what is restored would land elsewhere.`,
    { remedy: 'Remove the link, or restore to another place.', details: { path: shown } },
  );
}

/** Neither can what is immutable be replaced, nor anything be put into such a folder. */
export function flagInTheWay(target: string, path: ByteString): RestoreError {
  const shown = fullPath(target, path);
  return new RestoreError(
    'restore.targetNotUsable',
    `'${shown}' is immutable or append-only (chattr), so that nothing there can be replaced.`,
    {
      remedy: `Take the flags away first: chattr -R -i -a '${shown}'. What was backed up with them gets them back.`,
      details: { path: shown },
    },
  );
}

/** Somebody else works at the target; going on would leave it incomplete without a word. */
export function targetChanged(target: string, path: ByteString): RestoreError {
  const shown = fullPath(target, path);
  return new RestoreError(
    'restore.targetChanged',
    `'${shown}' was removed or replaced while the restore ran.`,
    {
      remedy: 'See who works there, then restore again: what is right already is not written again.',
      retryable: true,
      details: { path: shown },
    },
  );
}

/** The disk, or what this user may have of it, was filled while the restore ran. */
export function spaceUsedUp(target: string, available: number, cause: unknown): RestoreError {
  return new RestoreError(
    'restore.noSpace',
    `There is no space left for the restore to '${target}': ${available} bytes are free now. Nothing has its final name.`,
    {
      remedy: 'Free space there, or restore less or elsewhere.',
      details: { target, available },
      cause,
    },
  );
}

/** The backup's entries say more than its manifest, which the space was checked with. */
export function moreThanSaid(path: ByteString, said: number): RestoreError {
  const shown = shownName(path);
  return new RestoreError(
    'restore.contentWrong',
    `With '${shown}' the backup's files are larger than the ${said} bytes its manifest says.`,
    { remedy: 'Verify the backup, and restore from another one.', details: { path: shown, said } },
  );
}

export function contentMissing(path: ByteString): RestoreError {
  const shown = shownName(path);
  return new RestoreError('restore.contentMissing', `The backup has no content for '${shown}'.`, {
    remedy: 'Verify the backup, and restore from another one.',
    details: { path: shown },
  });
}

function fullPath(target: string, path: ByteString): string {
  return path === '' ? target : `${target === '/' ? '' : target}/${shownName(path)}`;
}
