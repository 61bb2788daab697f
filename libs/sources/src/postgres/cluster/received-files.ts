/** What has come of a cluster so far: entries wait here until all are known, because the server's order is its own. */
import { comparePaths, type AddContent, type BackupWriter, type Entry } from '@catena/vault';
import type { TarEntry } from '../tar/tar-header.ts';

interface Received {
  readonly entry: Entry;
  readonly content: AddContent | undefined;
  /** Hex; absent for folders, links and what was not read as a whole. */
  readonly sha256: string | undefined;
}

export class ReceivedFiles {
  readonly #byPath = new Map<string, Received>();
  files = 0;
  bytes = 0;

  has(path: string): boolean {
    return this.#byPath.has(path);
  }

  /** The SHA-256 of a file that came whole; undefined for what did not. */
  find(path: string): { readonly size: bigint; readonly sha256: string | undefined } | undefined {
    const received = this.#byPath.get(path);
    return received && { size: received.entry.size, sha256: received.sha256 };
  }

  addFile(entry: Entry, content: AddContent, sha256?: Uint8Array): void {
    this.#keep(entry, content, sha256);
    this.files += 1;
    this.bytes += Number(entry.size);
  }

  addOther(entry: Entry): void {
    this.#keep(entry, undefined, undefined);
  }

  /** Puts them into the backup, in its order. */
  async addTo(writer: BackupWriter): Promise<void> {
    const all = [...this.#byPath.values()].sort((a, b) => comparePaths(a.entry.path, b.entry.path));
    this.#byPath.clear();
    for (const { entry, content } of all) await writer.add(entry, content);
  }

  #keep(entry: Entry, content: AddContent | undefined, sha256: Uint8Array | undefined): void {
    const path = Buffer.from(entry.path).toString('utf8');
    this.#byPath.set(path, {
      entry,
      content,
      sha256: sha256 === undefined ? undefined : Buffer.from(sha256).toString('hex'),
    });
  }
}

/** An entry of the archive as an entry of the backup. The files of a server have no identity of their own out here. */
export function entryOf(path: string, from: TarEntry, size: number): Entry {
  const changed = BigInt(from.mtime) * 1_000_000_000n;
  return {
    path: Buffer.from(path),
    kind: from.kind,
    mode: from.mode,
    uid: from.uid,
    gid: from.gid,
    ...(from.user === '' ? {} : { user: from.user }),
    ...(from.group === '' ? {} : { group: from.group }),
    mtime: changed,
    ctime: changed,
    inode: 0n,
    device: 0n,
    size: BigInt(size),
    ...(from.kind === 'symlink' ? { linkTarget: Buffer.from(from.linkTarget) } : {}),
  };
}

/** A folder that no archive names. */
export function folderEntry(path: string, like: TarEntry | undefined, now: Date): Entry {
  const at: TarEntry = like ?? {
    ...{
      name: path,
      kind: 'folder',
      size: 0,
      mode: 0o700,
      uid: 0,
      gid: 0,
      user: '',
      group: '',
      linkTarget: '',
    },
    mtime: Math.floor(now.getTime() / 1000),
  };
  return entryOf(path, { ...at, kind: 'folder', mode: 0o700 }, 0);
}
