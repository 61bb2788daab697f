import * as fs from 'node:fs';
import type { FolderHandle } from './folder-handle.ts';
import { libc, onThread } from './libc.ts';
import { SystemCallError } from './system-call-error.ts';

// syncfs runs on another thread, whose errno is out of reach; a failed write-back is what it reports.
const EIO = 5;

/**
 * Waits for the disk once for all files of a file system. A write-back that has failed since this was made is reported,
 * also when somebody else was told of it (the kernel tells each open file once).
 */
export class FileSystemSync {
  readonly #file: number;

  /** @param folder any on the file system */
  constructor(folder: FolderHandle) {
    this.#file = folder.openSelf();
  }

  /** Resolves when everything that was written before is on disk. @throws SystemCallError */
  async wait(): Promise<void> {
    const result = await onThread(libc().syncfs, this.#file);
    if (result !== 0) throw new SystemCallError('syncfs', EIO, 'the file system of the folder');
  }

  /** Not while somebody waits. */
  close(): void {
    fs.closeSync(this.#file);
  }
}
