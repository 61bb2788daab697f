/** One file of a backup, read until it holds still: in memory if it is small, else as it goes through. */
import type { Entry, StoredEntry } from '@catena/vault';
import type { ByteString, FileStatus } from '../../system-calls/index.ts';
import type { AddedEntries } from './added-entries.ts';
import type { BackupTally } from './backup-tally.ts';
import {
  againSize,
  contentInMemory,
  contentOfOpen,
  heldStill,
  isSparse,
  OpenFile,
  readSmall,
  readWhole,
  smallSize,
  UnreadableFile,
} from './file-content.ts';
import { SmallMemory } from './small-memory.ts';
import type { Found } from './walk.ts';

/** Times a file is read in the hope that it holds still. */
const attempts = 3;
/** What a file counts for that goes through in a stream, which the writer opens when its turn has come. */
const streamMemory = 512 * 1024;

/** Moments of the reading that a test can act in. */
export interface ReadingMoments {
  /** The walk has seen it; it is not open yet. */
  opening?(path: ByteString): void;
  /** Its content has been read; whether it held still is not known yet. */
  read?(path: ByteString): void;
}

export class FileReading {
  readonly #added: AddedEntries;
  readonly #tally: BackupTally;
  readonly #signal: AbortSignal | undefined;
  readonly #moments: ReadingMoments;
  readonly #memory = new SmallMemory();

  constructor(
    added: AddedEntries,
    tally: BackupTally,
    signal: AbortSignal | undefined,
    moments: ReadingMoments,
  ) {
    this.#added = added;
    this.#tally = tally;
    this.#signal = signal;
    this.#moments = moments;
  }

  /**
   * Adds a file. Returns its status as it is in the backup, or what resolves to it where there is something to wait for.
   * @throws UnreadableFile when it is left out
   */
  add(found: Found, entry: Entry, before: StoredEntry | undefined): FileStatus | Promise<FileStatus> {
    this.#moments.opening?.(found.path);
    const file = new OpenFile(found);
    return this.#addAsFound(found, entry, file, before) ? found.status : this.#addOpen(found, file, before);
  }

  /**
   * A small file that is, when it has been read, still as the walk found it, which is the rule: looking at it once more is
   * saved. Closes it unless it has to be looked at again.
   */
  #addAsFound(found: Found, entry: Entry, file: OpenFile, before: StoredEntry | undefined): boolean {
    const { status } = found;
    if (status.size > BigInt(smallSize)) return false;
    const readAt = now();
    let looksAgain = true;
    const memory = this.#memory.take(Number(status.size));
    try {
      const content = readSmall(file, memory.bytes);
      this.#moments.read?.(found.path);
      const after = file.statusIfFile();
      const same = after !== undefined && isSameFile(status, after) && heldStill(status, after);
      looksAgain = !same || BigInt(content.length) !== status.size;
      if (!looksAgain) this.#addRead(found, entry, file, content, before, readAt, memory.giveBack);
    } catch (error) {
      // What it is now, and so what to say about it, comes out when it is looked at again.
      looksAgain = error instanceof UnreadableFile;
      if (!looksAgain) throw error;
    } finally {
      if (looksAgain) memory.giveBack();
      else file.close();
    }
    return !looksAgain;
  }

  /** A file that is open and must be read, or read again. Closes it. */
  async #addOpen(found: Found, file: OpenFile, before: StoredEntry | undefined): Promise<FileStatus> {
    let closes = false;
    try {
      const status = file.status();
      if (isReadWhole(status)) return await this.#addWhole(found, file, before);
      const adding = this.#addInStream(found, file, status, before);
      closes = true;
      // Whoever may be linked to must be known to be in the backup before the next name comes.
      if (status.links > 1) await adding;
      else this.#added.pending.track(this.#tally.orLeftOut(found.path, adding), streamMemory);
      return status;
    } finally {
      if (!closes) file.close();
    }
  }

  /** Attributes are read after the status was taken: should they change in between, the next backup looks again. */
  #addRead(
    found: Found,
    entry: Entry,
    file: OpenFile,
    content: Buffer,
    before: StoredEntry | undefined,
    readAt: bigint,
    over?: () => void,
  ): void {
    const whole = this.#added.complete(found, entry, file);
    this.#tally.read(content.length, found.path);
    const read = { read: contentInMemory(content), ...(before ? { before } : {}), readAt };
    this.#added.add(whole, read, content.length, over);
  }

  /** A file that fits into memory: read until it holds still, then added. */
  async #addWhole(found: Found, file: OpenFile, before: StoredEntry | undefined): Promise<FileStatus> {
    // What is small has been read once as it was found.
    for (let attempt = found.status.size <= BigInt(smallSize) ? 2 : 1; ; attempt += 1) {
      const status = file.status();
      const readAt = now();
      const content = await readWhole(file, Math.min(Number(status.size), againSize));
      this.#moments.read?.(found.path);
      const after = file.status();
      const still = heldStill(status, after) && BigInt(content.length) === status.size;
      if (!still && attempt < attempts && after.size <= BigInt(againSize)) continue;
      if (!still) this.#tally.warnOfChange(found.path);
      const entry = this.#entryOf(found, status, BigInt(content.length));
      this.#addRead(found, entry, file, content, before, readAt);
      return status;
    }
  }

  /** A bigger file goes through as it is read, and again if it is not too big for that. Closes the file. */
  async #addInStream(
    found: Found,
    file: OpenFile,
    status: FileStatus,
    before: StoredEntry | undefined,
  ): Promise<void> {
    const { meter } = this.#tally;
    let told = 0;
    const onRead = (bytes: number): void => {
      told += bytes;
      meter.add(0, bytes, found.path);
    };
    try {
      let asRead = status;
      let after = status;
      let attempt = 1;
      const done = (): FileStatus | undefined => {
        this.#moments.read?.(found.path);
        after = file.status();
        const small = asRead.size <= BigInt(againSize) && after.size <= BigInt(againSize);
        if (heldStill(asRead, after) || !small || attempt === attempts) return undefined;
        attempt += 1;
        asRead = after;
        return after;
      };
      const entry = this.#added.complete(found, this.#entryOf(found, status, status.size), file);
      // With the ctime of before: whatever else has changed is looked at by the next backup.
      const entryAsRead = (): Entry => (asRead === status ? entry : { ...entry, mtime: asRead.mtime });
      const read = contentOfOpen(file, status, { done, onRead, signal: this.#signal });
      const content = { read, entryAsRead, ...(before ? { before } : {}), readAt: now() };
      const { bytesRead } = await this.#added.writer.add(entry, content);
      if (!heldStill(asRead, after) || bytesRead !== asRead.size) this.#tally.warnOfChange(found.path);
      this.#tally.read(Number(bytesRead), found.path, told);
      told = 0;
    } finally {
      // What is not in the backup does not count.
      meter.add(0, -told, found.path);
      file.close();
    }
  }

  /** The entry of a file as it was when it was read, which may be later than the walk. */
  #entryOf(found: Found, status: FileStatus, size: bigint): Entry {
    return { ...this.#added.of(found, status), size };
  }
}

/** Holes are not read by the writer itself, which alone can begin again. */
function isReadWhole(status: FileStatus): boolean {
  return status.size <= BigInt(isSparse(status) ? againSize : smallSize);
}

function isSameFile(a: FileStatus, b: FileStatus): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** Wall clock in nanoseconds, rounded down: the same clock that the file system stamps changes with. */
function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
