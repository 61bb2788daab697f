/** The backup of a file tree: the walk beside the parent's entries, each thing added once, in canonical order. */
import type { BackupWriter, Entry, StoredEntry } from '@catena/vault';
import type { BackupOptions, BackupOutcome, SourceTotals } from '../../port/source-driver.ts';
import {
  bytesOf,
  shownName,
  systemCodeOf,
  type ByteString,
  type FileStatus,
} from '../../system-calls/index.ts';
import type { FilesSpec } from '../files-spec.ts';
import { PendingWork } from '../pending-work.ts';
import { isUnchanged } from '../unchanged.ts';
import { endAfter } from './end-after.ts';
import { EntryMaker } from './entry-of.ts';
import { estimate } from './estimate.ts';
import {
  contentInMemory,
  againSize,
  contentOfOpen,
  heldStill,
  isSparse,
  OpenFile,
  readSmall,
  readWhole,
  smallSize,
  UnreadableFile,
} from './file-content.ts';
import { PreviousEntries } from './previous-entries.ts';
import { SmallMemory } from './small-memory.ts';
import { ProgressMeter } from '../progress-meter.ts';
import { TimeSlice } from '../time-slice.ts';
import { walk, type Found } from './walk.ts';

/** Times a file is read in the hope that it holds still. */
const attempts = 3;
/** Content that may be in memory at once; the writer has bounds of its own for what it has taken over. */
const mostMemory = 8 * 1024 * 1024;
/** What a file counts for that goes through in a stream, which the writer opens when its turn has come. */
const streamMemory = 512 * 1024;

/** Moments of the reading that a test can act in. */
export interface ReadingMoments {
  /** The walk has seen it; it is not open yet. */
  opening?(path: ByteString): void;
  /** Its content has been read; whether it held still is not known yet. */
  read?(path: ByteString): void;
}

export class FilesBackup {
  readonly #spec: FilesSpec;
  readonly #writer: BackupWriter;
  readonly #options: BackupOptions;
  readonly #moments: ReadingMoments;
  readonly #previous: PreviousEntries;
  readonly #entries = new EntryMaker();
  readonly #pending = new PendingWork({ tasks: 384, bytes: mostMemory });
  readonly #memory = new SmallMemory();
  readonly #slice: TimeSlice;
  /** First path of each hard-link group that is in the backup, and how many of its names are still to come. */
  readonly #groups = new Map<string, { path: Uint8Array; left: number }>();
  readonly #meter: ProgressMeter;
  #filesRead = 0;
  #bytesRead = 0;
  #unchanged = 0;
  #warnings = 0;

  constructor(spec: FilesSpec, writer: BackupWriter, options: BackupOptions, moments: ReadingMoments = {}) {
    this.#spec = spec;
    this.#writer = writer;
    this.#options = options;
    this.#moments = moments;
    this.#previous = new PreviousEntries(writer.previous());
    this.#slice = new TimeSlice(options.signal);
    this.#meter = new ProgressMeter(options.progress);
  }

  async run(): Promise<BackupOutcome> {
    const { signal, previousEnd } = this.#options;
    signal?.throwIfAborted();
    const began = new Date();
    this.#meter.expect(await this.#expected());
    try {
      const warn = (path: ByteString, code: string, message: string) => this.#warn(path, code, message);
      for (const found of walk(this.#spec, warn)) {
        const taking = this.#take(found);
        if (taking) await taking;
        if (this.#slice.isOver) await this.#slice.giveWay();
      }
    } finally {
      await this.#previous.close();
      // Files that are being read belong to the walk's end, also when it failed.
      await this.#pending.settle().catch(() => undefined);
    }
    await this.#pending.settle();
    this.#meter.finish();
    return {
      files: this.#meter.files,
      bytes: this.#meter.bytes,
      filesRead: this.#filesRead,
      bytesRead: this.#bytesRead,
      unchanged: this.#unchanged,
      warnings: this.#warnings,
      summary: { asOf: began, position: { end: endAfter(began, previousEnd) } },
    };
  }

  async #expected(): Promise<SourceTotals | undefined> {
    if (!this.#options.progress) return undefined;
    return this.#options.expected ?? (await estimate(this.#spec, this.#options.signal));
  }

  /** Where there is no parent most things are added without waiting: promises would cost more than what they wait for. */
  #take(found: Found): Promise<void> | undefined {
    const { status } = found;
    const entry = this.#entries.of(bytesOf(found.path), status);
    const linked = status.links > 1 && status.kind !== 'folder';
    if (linked || !this.#previous.isOver || !this.#pending.hasRoom) return this.#takeInTurn(found, entry);
    try {
      if (status.kind !== 'file') this.#addWithoutContent(found, entry, undefined);
      else {
        const file = this.#open(found);
        if (!this.#addAsFound(found, entry, file, undefined))
          return this.#orLeftOut(found.path, this.#addOpen(found, file, undefined));
      }
    } catch (error) {
      this.#leaveOut(found.path, error);
    }
    return undefined;
  }

  async #takeInTurn(found: Found, entry: Entry): Promise<void> {
    const before = this.#previous.isOver ? undefined : await this.#previous.at(entry.path);
    if (!this.#pending.hasRoom) await this.#pending.room();
    try {
      await this.#add(found, entry, before);
    } catch (error) {
      this.#leaveOut(found.path, error);
      return;
    }
  }

  async #add(found: Found, entry: Entry, before: StoredEntry | undefined): Promise<void> {
    const linked = found.status.links > 1 && entry.kind !== 'folder';
    const first = linked ? this.#groups.get(groupKey(entry)) : undefined;
    if (first) {
      first.left -= 1;
      if (first.left <= 0) this.#groups.delete(groupKey(entry));
      this.#addWithoutContent(found, { ...entry, size: 0n, hardLink: first.path }, before);
      return;
    }
    let status = found.status;
    if (entry.kind === 'file') status = await this.#addFile(found, entry, before);
    else this.#addWithoutContent(found, entry, before);
    // Only now: had it been left out, no other name could refer to it.
    if (linked) this.#groups.set(groupKey(status), { path: entry.path, left: status.links - 1 });
  }

  #addWithoutContent(found: Found, entry: Entry, before: StoredEntry | undefined): void {
    if (before && isUnchanged(entry, before)) {
      this.#unchanged += 1;
      this.#track(this.#entries.completeAsBefore(entry, before), { asBefore: before }, 0);
    } else {
      this.#track(this.#complete(found, entry), undefined, 0);
    }
  }

  /** The status of the file as it is in the backup; throws `UnreadableFile` when it is left out. */
  async #addFile(found: Found, entry: Entry, before: StoredEntry | undefined): Promise<FileStatus> {
    const known = before?.content === undefined ? undefined : before;
    if (known && isUnchanged(entry, known)) {
      this.#unchanged += 1;
      this.#track(this.#entries.completeAsBefore(entry, known), { asBefore: known }, 0);
      this.#meter.add(1, Number(entry.size), found.path);
      return found.status;
    }
    const file = this.#open(found);
    if (this.#addAsFound(found, entry, file, known)) return found.status;
    return this.#addOpen(found, file, known);
  }

  /** As `#addFile`, of a file that is open and must be read. Closes it. */
  async #addOpen(found: Found, file: OpenFile, before: StoredEntry | undefined): Promise<FileStatus> {
    let closes = false;
    try {
      const status = file.status();
      if (isReadWhole(status)) return await this.#addWhole(found, file, before);
      const adding = this.#addInStream(found, file, status, before);
      closes = true;
      // Whoever may be linked to must be known to be in the backup before the next name comes.
      if (status.links > 1) await adding;
      else this.#pending.track(this.#orLeftOut(found.path, adding), streamMemory);
      return status;
    } finally {
      if (!closes) file.close();
    }
  }

  #open(found: Found): OpenFile {
    this.#moments.opening?.(found.path);
    return new OpenFile(found);
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
    const whole = this.#complete(found, entry, file);
    this.#countRead(content.length, found.path);
    const read = { read: contentInMemory(content), ...(before ? { before } : {}), readAt };
    this.#track(whole, read, content.length, over);
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
      if (!still) this.#warnOfChange(found.path);
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
    let told = 0;
    const onRead = (bytes: number): void => {
      told += bytes;
      this.#meter.add(0, bytes, found.path);
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
      const entry = this.#complete(found, this.#entryOf(found, status, status.size), file);
      // With the ctime of before: whatever else has changed is looked at by the next backup.
      const entryAsRead = (): Entry => (asRead === status ? entry : { ...entry, mtime: asRead.mtime });
      const read = contentOfOpen(file, status, { done, onRead, signal: this.#options.signal });
      const content = { read, entryAsRead, ...(before ? { before } : {}), readAt: now() };
      const { bytesRead } = await this.#writer.add(entry, content);
      if (!heldStill(asRead, after) || bytesRead !== asRead.size) this.#warnOfChange(found.path);
      this.#countRead(Number(bytesRead), found.path, told);
      told = 0;
    } finally {
      // What is not in the backup does not count.
      this.#meter.add(0, -told, found.path);
      file.close();
    }
  }

  async #orLeftOut(path: ByteString, adding: Promise<unknown>): Promise<void> {
    try {
      await adding;
    } catch (error) {
      this.#leaveOut(path, error);
    }
  }

  /** The entry of a file as it was when it was read, which may be later than the walk. */
  #entryOf(found: Found, status: FileStatus, size: bigint): Entry {
    return { ...this.#entries.of(bytesOf(found.path), status), size };
  }

  #complete(found: Found, entry: Entry, file?: OpenFile): Entry {
    const warn = (code: string, message: string) => this.#warn(found.path, code, message);
    return this.#entries.complete(found, entry, warn, file?.fd);
  }

  /** Hands an entry to the writer; only an error that is not the entry's own ends the backup. */
  #track(entry: Entry, content: Parameters<BackupWriter['add']>[1], bytes: number, over?: () => void): void {
    this.#pending.track(this.#writer.add(entry, content), bytes, over);
  }

  /** @param told how many of the bytes the progress knows of already */
  #countRead(bytes: number, path: ByteString, told = 0): void {
    this.#filesRead += 1;
    this.#bytesRead += bytes;
    this.#meter.add(1, bytes - told, path);
  }

  #leaveOut(path: ByteString, error: unknown): void {
    if (error instanceof UnreadableFile) this.#warn(path, error.code, error.message);
    else if (systemCodeOf(error) === 'ENOENT') {
      const unreadable = new UnreadableFile(path, error);
      this.#warn(path, unreadable.code, unreadable.message);
    } else throw error;
  }

  #warnOfChange(path: ByteString): void {
    const shown = shownName(path);
    this.#warn(
      path,
      'file.changed',
      `'${shown}' was written to while it was read; the backup may hold a mixture of old and new content.`,
    );
  }

  #warn(path: ByteString, code: string, message: string): void {
    this.#warnings += 1;
    this.#writer.warn({ path: bytesOf(path), code, message });
  }
}

/** Holes are not read by the writer itself, which alone can begin again. */
function isReadWhole(status: FileStatus): boolean {
  return status.size <= BigInt(isSparse(status) ? againSize : smallSize);
}

function groupKey(of: { device: bigint; inode: bigint }): string {
  return `${of.device}:${of.inode}`;
}

function isSameFile(a: FileStatus, b: FileStatus): boolean {
  return a.inode === b.inode && a.device === b.device;
}

/** Wall clock in nanoseconds, rounded down: the same clock that the file system stamps changes with. */
function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
