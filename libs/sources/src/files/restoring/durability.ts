import * as fs from 'node:fs';
import { FileSystemSync, type FolderHandle } from '../../system-calls/index.ts';

/**
 * Up to so many things are put on disk one by one. More of them take far longer than waiting once for the whole file
 * system; fewer should not have to wait for what everybody else has written.
 */
const mostOneByOne = 16;
/** The disk is waited for from time to time while more is written, so that little is left to wait for at the end. */
const mostBehind = 384 * 1024 * 1024;
/** To make a file is as much work for the disk as so many bytes. */
const bytesLikeAFile = 64 * 1024;

/** Makes what was restored durable before anything depends on it. */
export class Durability {
  readonly #waiting: Promise<void>[] = [];
  #left = mostOneByOne;
  #fileSystem: FileSystemSync | undefined;
  #written = 0;
  #catchingUp: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Everything is going to be written to the file system of a folder. What fails from here on is noticed. */
  begin(folder: FolderHandle): void {
    this.#fileSystem ??= new FileSystemSync(folder);
  }

  /** There are things that somebody else has written, perhaps without waiting for the disk. */
  others(): void {
    this.#left = -1;
  }

  /** So many bytes were written, to so many new files. */
  wrote(bytes: number, files: number): void {
    this.#written += bytes + files * bytesLikeAFile;
    if (this.#written < mostBehind || this.#left >= 0 || this.#catchingUp !== undefined) return;
    this.#written = 0;
    this.#catchingUp = this.#fileSystem
      ?.wait()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#catchingUp = undefined;
      });
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
  async complete(): Promise<void> {
    const all = this.#left < 0;
    this.#left = mostOneByOne;
    await Promise.all([
      ...this.#waiting.splice(0),
      this.#catchingUp,
      all ? this.#fileSystem?.wait() : undefined,
    ]);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends when nothing is under way. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#waiting.splice(0), this.#catchingUp]);
    this.#fileSystem?.close();
    this.#fileSystem = undefined;
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
