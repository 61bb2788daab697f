/** Paths in a tree: relative to its root, which is the empty path. */
import type { ByteString } from '../../system-calls/index.ts';

export function parentOf(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/');
  return (slash === -1 ? '' : path.slice(0, slash)) as ByteString;
}

export function nameOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1) as ByteString;
}

/** Whether a path is the folder itself or lies beneath it. */
export function isWithin(path: ByteString, folder: ByteString): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
