import * as fs from 'node:fs';
import type { FolderHandle } from '../../system-calls/index.ts';

/**
 * Up to so many things are put on disk one by one. More of them take far longer than waiting once for the whole file
 * system; fewer should not have to wait for what everybody else has written.
 */
const mostOneByOne = 16;

/** Makes what was restored durable before anything depends on it. */
export class Durability {
  readonly #waiting: Promise<void>[] = [];
  #left = mostOneByOne;

  /** There are things that somebody else has written, perhaps without waiting for the disk. */
  others(): void {
    this.#left = -1;
  }

  /** A file that has been written; still open. Resolves when it may be closed. */
  async file(file: number): Promise<void> {
    if (this.isOneOfFew()) await sync(file);
  }

  /**
   * A folder whose names have changed.
   *
   * @param last what is still done to it first, and may make it unreadable
   */
  folder(folder: FolderHandle, last?: () => void): void {
    const file = this.isOneOfFew() ? folder.openSelf() : undefined;
    last?.();
    if (file === undefined) return;
    const syncing = sync(file).finally(() => fs.closeSync(file));
    // Awaited by `complete`; until then a failure is not an unhandled one.
    syncing.catch(() => undefined);
    this.#waiting.push(syncing);
  }

  /** Resolves when everything is on disk, and begins anew. */
  async complete(folder: FolderHandle): Promise<void> {
    const all = this.#left < 0;
    this.#left = mostOneByOne;
    await Promise.all(this.#waiting.splice(0));
    if (all) await folder.syncFileSystem();
  }

  /** Whether one more thing is still among the few; then whoever asks puts it on disk. */
  isOneOfFew(): boolean {
    this.#left -= 1;
    return this.#left >= 0;
  }
}

function sync(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(file, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
