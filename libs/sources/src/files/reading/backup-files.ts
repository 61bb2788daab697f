/** The backup of a file tree: the walk beside the parent's entries, each thing added once, in canonical order. */
import type { BackupWriter, Entry, StoredEntry } from '@catena/vault';
import type { BackupOptions, BackupOutcome, SourceTotals } from '../../port/source-driver.ts';
import type { ByteString, FileStatus } from '../../system-calls/index.ts';
import type { FilesSpec } from '../files-spec.ts';
import { ProgressMeter } from '../progress-meter.ts';
import { TimeSlice } from '../time-slice.ts';
import { isUnchanged } from '../unchanged.ts';
import { AddedEntries } from './added-entries.ts';
import { BackupTally } from './backup-tally.ts';
import { endAfter } from './end-after.ts';
import { estimate } from './estimate.ts';
import { FileReading, type ReadingMoments } from './file-reading.ts';
import { PreviousEntries } from './previous-entries.ts';
import { walk, type Found } from './walk.ts';

export class FilesBackup {
  readonly #spec: FilesSpec;
  readonly #options: BackupOptions;
  readonly #previous: PreviousEntries;
  readonly #tally: BackupTally;
  readonly #added: AddedEntries;
  readonly #reading: FileReading;
  readonly #slice: TimeSlice;
  /** First path of each hard-link group that is in the backup, and how many of its names are still to come. */
  readonly #groups = new Map<string, { path: Uint8Array; left: number }>();

  constructor(spec: FilesSpec, writer: BackupWriter, options: BackupOptions, moments: ReadingMoments = {}) {
    this.#spec = spec;
    this.#options = options;
    this.#previous = new PreviousEntries(writer.previous());
    this.#tally = new BackupTally(new ProgressMeter(options.progress), (warning) => writer.warn(warning));
    this.#added = new AddedEntries(writer, this.#tally);
    this.#reading = new FileReading(this.#added, this.#tally, options.signal, moments);
    this.#slice = new TimeSlice(options.signal);
  }

  async run(): Promise<BackupOutcome> {
    const { signal, previousEnd } = this.#options;
    const { meter } = this.#tally;
    const { pending } = this.#added;
    signal?.throwIfAborted();
    const began = new Date();
    meter.expect(await this.#expected());
    try {
      const warn = (path: ByteString, code: string, message: string) => this.#tally.warn(path, code, message);
      for (const found of walk(this.#spec, warn)) {
        const taking = this.#take(found);
        if (taking) await taking;
        if (this.#slice.isOver) await this.#slice.giveWay();
      }
    } finally {
      await this.#previous.close();
      // Files that are being read belong to the walk's end, also when it failed.
      await pending.settle().catch(() => undefined);
    }
    await pending.settle();
    meter.finish();
    const { files, bytes } = meter;
    const { filesRead, bytesRead, unchanged, warnings } = this.#tally;
    return {
      ...{ files, bytes, filesRead, bytesRead, unchanged, warnings },
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
    const entry = this.#added.of(found);
    const linked = status.links > 1 && status.kind !== 'folder';
    if (linked || !this.#previous.isOver || !this.#added.pending.hasRoom)
      return this.#takeInTurn(found, entry);
    try {
      if (status.kind !== 'file') this.#addWithoutContent(found, entry, undefined);
      else {
        const reading = this.#reading.add(found, entry, undefined);
        if (reading instanceof Promise) return this.#tally.orLeftOut(found.path, reading);
      }
    } catch (error) {
      this.#tally.leaveOut(found.path, error);
    }
    return undefined;
  }

  async #takeInTurn(found: Found, entry: Entry): Promise<void> {
    const before = this.#previous.isOver ? undefined : await this.#previous.at(entry.path);
    if (!this.#added.pending.hasRoom) await this.#added.pending.room();
    await this.#tally.orLeftOut(found.path, this.#add(found, entry, before));
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
    if (before && isUnchanged(entry, before)) this.#added.addAsBefore(entry, before);
    else this.#added.add(this.#added.complete(found, entry));
  }

  /** The status of the file as it is in the backup; throws `UnreadableFile` when it is left out. */
  async #addFile(found: Found, entry: Entry, before: StoredEntry | undefined): Promise<FileStatus> {
    const known = before?.content === undefined ? undefined : before;
    if (known && isUnchanged(entry, known)) {
      this.#added.addAsBefore(entry, known);
      this.#tally.meter.add(1, Number(entry.size), found.path);
      return found.status;
    }
    return await this.#reading.add(found, entry, known);
  }
}

function groupKey(of: { device: bigint; inode: bigint }): string {
  return `${of.device}:${of.inode}`;
}
