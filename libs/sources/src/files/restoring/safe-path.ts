import { RestoreError } from '../../port/restore-error.ts';
import { byteStringOf, shownName, type ByteString } from '../../system-calls/index.ts';

/**
 * The path of an entry, once it is sure to stay inside the target: relative, no `.` or `..`, no empty name. A backup
 * of ours has no other; one that was tampered with might. Throws `restore.unsafePath`.
 */
export function safePath(bytes: Uint8Array): ByteString {
  const path = byteStringOf(bytes);
  const wrong = path !== '' && path.split('/').some((name) => name === '' || name === '.' || name === '..');
  if (!wrong && !path.includes('\0')) return path;
  throw unsafe(path, 'leads out of the target or names nothing');
}

/** Refuses a backup whose entries do not form a tree. */
export function unsafe(path: ByteString, why: string): RestoreError {
  return new RestoreError(
    'restore.unsafePath',
    `The entry '${shownName(path)}' ${why}; nothing was restored.`,
    {
      remedy: 'The backup was not made by Catena or was tampered with: verify it, and restore another one.',
      details: { path: shownName(path) },
    },
  );
}
