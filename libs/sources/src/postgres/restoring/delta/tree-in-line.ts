/** Makes a tree on disk what a backup holds: rewrites the pages that differ, in place, and removes what is not in it. */
import { constants, type Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, open, rm, symlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { StoredEntry } from '@catena/vault';
import { hashOfOpen } from '../../../files/content-hash.ts';
import { safePath } from '../../../files/restoring/safe-path.ts';
import { RestoreError } from '../../../port/restore-error.ts';
import { nameIn, othersIn, type TreeToSurvey } from './tree-survey.ts';
import { writeDifferences } from './write-differences.ts';

export interface TreeToBring extends TreeToSurvey {
  /** Paths of the backup; what else is there is removed. */
  readonly names: ReadonlySet<string>;
  /** Whose what is made becomes. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** A file has been looked at. */
  readonly passed?: (bytes: number) => void;
}

export interface BroughtTree {
  files: number;
  bytes: number;
  bytesWritten: number;
  unchanged: number;
}

export class TreeInLine {
  readonly #tree: TreeToBring;
  readonly #changed = new Set<string>();
  readonly #done: BroughtTree = { files: 0, bytes: 0, bytesWritten: 0, unchanged: 0 };

  constructor(tree: TreeToBring) {
    this.#tree = tree;
  }

  /** Durable when it is done. What is not in the backup goes first: what comes may need its room. */
  async bring(): Promise<BroughtTree> {
    const { reader, spared, signal } = this.#tree;
    await this.#removeOthers();
    for await (const entry of reader.entries()) {
      signal?.throwIfAborted();
      const name = nameIn(safePath(entry.path));
      if (!spared.has(name)) await this.#bringOne(name, entry);
    }
    for (const folder of this.#changed) await syncFolder(this.#at(folder));
    return this.#done;
  }

  async #bringOne(name: string, entry: StoredEntry): Promise<void> {
    const place = this.#at(name);
    const status = await lstat(place).catch(() => undefined);
    const mode = entry.mode & 0o777;
    if (entry.kind === 'folder') {
      if (status?.isDirectory() === true) {
        if ((status.mode & 0o777) !== mode && name !== '') await chmod(place, mode);
        return;
      }
      if (status !== undefined) await rm(place);
      await mkdir(place, { recursive: name === '', mode });
      await this.#give(place);
      this.#touched(name);
    } else if (entry.kind === 'file') await this.#bringFile(name, entry, status);
    else if (entry.kind === 'symlink' && entry.linkTarget !== undefined) {
      if (status !== undefined) await rm(place, { recursive: true });
      await symlink(Buffer.from(entry.linkTarget).toString('utf8'), place);
      this.#touched(name);
    }
  }

  async #bringFile(name: string, entry: StoredEntry, status: Stats | undefined): Promise<void> {
    const place = this.#at(name);
    // Another cluster may have the same file by another name (pg_upgrade --link): it must keep what it has.
    const isOurs = status?.isFile() === true && status.nlink === 1;
    if (status !== undefined && !isOurs) await rm(place, { recursive: true });
    if (!isOurs) this.#touched(name);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
    const file = await open(place, flags, entry.mode & 0o777);
    try {
      if (!isOurs) await this.#give(place);
      this.#done.files += 1;
      this.#done.bytes += Number(entry.size);
      if (isOurs && (await isRight(file, entry, this.#tree.signal))) this.#done.unchanged += 1;
      else await this.#rewrite(name, file, entry);
      this.#tree.passed?.(Number(entry.size));
    } finally {
      await file.close();
    }
  }

  async #rewrite(name: string, file: FileHandle, entry: StoredEntry): Promise<void> {
    let at = 0;
    for await (const piece of this.#tree.reader.content(entry)) {
      this.#tree.signal?.throwIfAborted();
      this.#done.bytesWritten += await writeDifferences(file, piece, at);
      at += piece.length;
    }
    if (BigInt(at) !== entry.size)
      throw new RestoreError(
        'restore.contentWrong',
        `The content of '${name}' has ${at} bytes instead of ${entry.size}.`,
        { remedy: 'Verify the backup, and restore from another one.', details: { path: name } },
      );
    await file.truncate(at);
    await file.sync();
  }

  async #removeOthers(): Promise<void> {
    for await (const name of othersIn(this.#tree, this.#tree.names)) {
      await rm(this.#at(name), { recursive: true });
      this.#touched(name);
    }
  }

  async #give(place: string): Promise<void> {
    const { uid, gid } = this.#tree.owner;
    if (uid !== process.geteuid?.()) await chown(place, uid, gid);
  }

  /** Its folder is to be synced. */
  #touched(name: string): void {
    const parent = path.posix.dirname(name);
    this.#changed.add(parent === '.' ? '' : parent);
  }

  #at(name: string): string {
    return path.join(this.#tree.root, name);
  }
}

async function isRight(
  file: FileHandle,
  { content, size }: StoredEntry,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (content?.sha256 === undefined || BigInt((await file.stat()).size) !== size) return false;
  return (await hashOfOpen(file.fd, size, signal)).equals(content.sha256);
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
