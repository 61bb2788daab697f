import { comparePaths, type BackupReader, type StoredEntry } from '@catena/vault';
import { bytesOf, type ByteString } from '../../system-calls/index.ts';
import { safePath, unsafe } from './safe-path.ts';
import { isWithin, parentOf } from './tree-path.ts';

export interface SelectedEntry {
  readonly path: ByteString;
  readonly entry: StoredEntry;
  /** False for a folder that is only there because something in it was selected. */
  readonly selected: boolean;
}

/**
 * The entries a restore is about, in canonical order, each after the folder it is in; folders that were not selected
 * themselves are looked up. Throws `restore.unsafePath` when they do not form a tree.
 */
export async function* selectedEntries(
  reader: BackupReader,
  globs: readonly string[] | undefined,
): AsyncGenerator<SelectedEntry> {
  const open: ByteString[] = [];
  const selection = globs === undefined || globs.length === 0 ? undefined : { globs };
  let rootSeen = false;
  let last: Uint8Array | undefined;
  for await (const entry of reader.entries(selection)) {
    const path = safePath(entry.path);
    if (last !== undefined && comparePaths(last, entry.path) >= 0) throw unsafe(path, 'is out of order');
    last = entry.path;
    while (open.length > 0 && !isWithin(path, open.at(-1) as ByteString)) open.pop();
    if (path !== '') {
      for (const missing of missingFolders(open, parentOf(path), rootSeen)) {
        const folder = await reader.find(bytesOf(missing));
        if (folder?.kind !== 'folder') throw unsafe(path, 'lies in what is no folder');
        open.push(missing);
        rootSeen = true;
        yield { path: missing, entry: folder, selected: false };
      }
    }
    rootSeen = true;
    if (entry.kind === 'folder') open.push(path);
    yield { path, entry, selected: true };
  }
}

/** The folders from the innermost open one down to `parent`, without the open one. */
function missingFolders(open: readonly ByteString[], parent: ByteString, rootSeen: boolean): ByteString[] {
  const missing: ByteString[] = [];
  const top = open.at(-1);
  for (let folder = parent; folder !== top; folder = parentOf(folder)) {
    missing.unshift(folder);
    if (folder === '') break;
  }
  if (rootSeen && missing[0] === '') throw unsafe(parent, 'lies in what is no folder');
  return missing;
}
