/** Files that threads of their own make, by plans of where their content lies; see `restoring-tasks.ts`. */
import {
  defaultWorkers,
  OwnThread,
  WorkerPool,
  workerProgram,
  type ContentPlanner,
  type LeasedPlan,
  type StoredEntry,
  type TaskRunner,
} from '@catena/vault';
import type { RestoreOptions, SourceTotals } from '../../../port/source-driver.ts';
import type { ByteString, FolderHandle } from '../../../system-calls/index.ts';
import type { Durability } from '../durability.ts';
import type { Metadata, Place } from '../metadata.ts';
import type { RestoreWarnings } from '../restore-warnings.ts';
import { packBatch } from './file-batch.ts';
import { restoringTasks, type FileToMake, type MadeFiles } from './restoring-tasks.ts';

/** What is less than this is done before other threads would have started. */
const few = { files: 500, bytes: 32 * 1024 * 1024 };
/** Each thread holds a few dozen megabytes, and a few of them write as much as disks take. */
const usualThreads = () => Math.min(4, defaultWorkers());
/** To make a file is as much work as writing so many bytes. */
const bytesLikeAFile = 64 * 1024;
/** So much more may wait for a thread that goes on in a folder: two that make names in one folder wait for each other. */
const mostForAFolder = 32 * 1024 * 1024;
/** Plans of one file that a thread is given at once, so that it has the next one when it is done with one. */
const plansAhead = 2;

type Runner = TaskRunner<typeof restoringTasks>;

/** Hears of bytes of content, and how many of them are not known to be zeros. */
export type HearsWritten = (bytes: number, data: number) => void;

/** A file that is small enough to be made together with others. */
export interface SmallFile {
  readonly path: ByteString;
  readonly entry: StoredEntry;
  readonly place: Place;
}

export interface PlannedFilesParts {
  readonly planner: ContentPlanner;
  /** What there is to restore. */
  readonly expected: SourceTotals;
  readonly metadata: Metadata;
  readonly warnings: RestoreWarnings;
  readonly durability: Durability;
  readonly signal: AbortSignal | undefined;
  readonly limits: RestoreOptions['limits'];
}

export class PlannedFiles {
  readonly #parts: PlannedFilesParts;
  readonly #pool: WorkerPool<typeof restoringTasks> | undefined;
  readonly #here: Runner = new OwnThread(restoringTasks);
  /** How much each thread has to do, in bytes. */
  readonly #load: number[];
  /** Of each thread: resolves when it has been given all of the large file before. */
  readonly #turns: Promise<undefined>[] = [];
  #lanes = 0;
  /** Where small files went last, and which thread made them. */
  #last: { readonly folder: FolderHandle; readonly thread: number } | undefined;

  constructor(parts: PlannedFilesParts) {
    this.#parts = parts;
    const { files, bytes } = parts.expected;
    if (files > few.files || bytes > few.bytes) {
      const program = workerProgram('./restoring-worker', import.meta.url);
      this.#pool = new WorkerPool({ program, workers: parts.limits?.workers ?? usualThreads() });
      // They start while the first plan is made.
      for (let thread = 0; thread < this.#pool.size; thread++) this.#pool.on(thread);
    }
    this.#load = Array.from({ length: this.#pool?.size ?? 1 }, () => 0);
  }

  /** Files of any size that are worth being made at a time: one for each thread, and one that is beginning. */
  get sideBySide(): number {
    return this.#load.length + 1;
  }

  /** Whether a file can be made this way. */
  takes(entry: StoredEntry): boolean {
    return this.#parts.planner.canPlan(entry);
  }

  /** Whether making it holds next to nothing in memory. */
  isSmall(entry: StoredEntry): boolean {
    return this.#parts.planner.isSmall(entry);
  }

  /**
   * Makes a file with its metadata. False when that was not possible as planned; then nothing is there.
   * @param written hears of content that is there, and takes it back when nothing comes of the file
   */
  async make(path: ByteString, entry: StoredEntry, place: Place, written: HearsWritten): Promise<boolean> {
    if (this.isSmall(entry)) {
      const [made = false] = await this.makeTogether([{ path, entry, place }]);
      if (made) written(Number(entry.size), Number(entry.size));
      return made;
    }
    const file = this.#fileOf(path, entry, place);
    const told = { bytes: 0, data: 0 };
    const made = await this.#makeLarge(entry, file, (bytes, data) => {
      told.bytes += bytes;
      told.data += data;
      written(bytes, data);
    });
    if (made) this.#complete({ path, entry, place }, file);
    else written(-told.bytes, -told.data);
    return made;
  }

  /** Threads see to what is alike for all files. */
  #complete({ path, entry, place }: SmallFile, file: FileToMake): void {
    if (file.metadata === undefined) this.#parts.metadata.apply(path, entry, place, { isNew: true });
  }

  #fileOf(path: ByteString, entry: StoredEntry, place: Place): FileToMake {
    const { metadata, durability } = this.#parts;
    const { kind, mode, mtime, content, xattrs } = entry;
    return {
      folder: place.folder.fd,
      name: place.name,
      path,
      sha256: content?.sha256 ?? new Uint8Array(),
      size: Number(content?.size ?? 0n),
      sync: durability.isOneOfFew(),
      ...(xattrs === undefined ? { metadata: { kind, mode, mtime, ...metadata.ownerOf(entry) } } : {}),
    };
  }

  /**
   * Makes small files with their metadata. Answers of each whether that was possible as planned; where it was not,
   * nothing is there.
   */
  async makeTogether(small: readonly SmallFile[]): Promise<readonly boolean[]> {
    const { planner, signal, limits } = this.#parts;
    const leased = await planner.together(small.map(({ entry }) => entry));
    if (leased === undefined) return small.map(() => false);
    try {
      await limits?.write?.take(leased.dataBytes);
      signal?.throwIfAborted();
      const files = small.map(({ path, entry, place }) => this.#fileOf(path, entry, place));
      const input = { plan: leased.plan, batch: packBatch(files, leased.counts) };
      const thread = this.#threadFor(small[0]?.place.folder);
      this.#last = { folder: small.at(-1)?.place.folder as FolderHandle, thread };
      const work = leased.bytes + files.length * bytesLikeAFile;
      const made = await this.#on(thread, work, async (runner) =>
        this.#heard(await runner.run('files', input)),
      );
      for (const [i, file] of files.entries())
        if (made[i] === true) this.#complete(small[i] as SmallFile, file);
      return made;
    } finally {
      await leased.release();
    }
  }

  /** The thread that has least to do; for files of a folder the one that made others in it, unless it has far more. */
  #threadFor(folder?: FolderHandle): number {
    const least = Math.min(...this.#load);
    const { thread } = (folder !== undefined && this.#last?.folder === folder && this.#last) || {};
    if (thread !== undefined && (this.#load[thread] ?? 0) - least <= mostForAFolder) return thread;
    return this.#load.indexOf(least);
  }

  /** Gives a thread work that is as much as writing so many bytes. */
  async #on<T>(thread: number, bytes: number, work: (runner: Runner) => Promise<T>): Promise<T> {
    const add = (more: number): void => {
      this.#load[thread] = (this.#load[thread] ?? 0) + more;
    };
    add(bytes);
    try {
      return await work(this.#pool?.on(thread) ?? this.#here);
    } finally {
      add(-bytes);
    }
  }

  #heard({ made, warnings, warningCount }: MadeFiles): readonly boolean[] {
    this.#parts.warnings.addAll(warnings, warningCount);
    return made;
  }

  /**
   * A thread is given large files one after another: after a long chain the pages of one come from hundreds of places
   * again and again, and the units that it keeps at hand would not do for several files at once.
   */
  async #makeLarge(entry: StoredEntry, file: FileToMake, written: HearsWritten): Promise<boolean> {
    const lane = ++this.#lanes;
    const thread = this.#threadFor();
    return await this.#on(thread, file.size, async (runner) => {
      const before = this.#turns[thread];
      const turn = Promise.withResolvers<undefined>();
      const given = (): void => turn.resolve(undefined);
      this.#turns[thread] = turn.promise;
      await before;
      try {
        await runner.run('open', { lane, folder: file.folder, name: file.name, size: file.size });
        if (!(await this.#written(entry, lane, runner, written, given))) return false;
      } finally {
        given();
      }
      return this.#heard(await runner.run('end', { lane, file }))[0] ?? false;
    });
  }

  /** Answers whether a file that is open was given all of its content. If not it is gone; after an error it stays. */
  async #written(
    entry: StoredEntry,
    lane: number,
    runner: Runner,
    written: HearsWritten,
    given: () => void,
  ): Promise<boolean> {
    let isWritten: boolean;
    try {
      isWritten = await this.#writeAll(entry, lane, runner, written, given);
    } catch (error) {
      await runner.run('leave', { lane });
      throw error;
    }
    if (!isWritten) await runner.run('drop', { lane });
    return isWritten;
  }

  /**
   * Answers whether all of it could be read as planned. Ends when nothing is under way any more.
   * @param given called when the thread has been given all of it
   */
  async #writeAll(
    entry: StoredEntry,
    lane: number,
    runner: Runner,
    written: HearsWritten,
    given: () => void,
  ): Promise<boolean> {
    const underWay: Promise<boolean>[] = [];
    let isReadable = true;
    try {
      for await (const leased of this.#parts.planner.plans(entry)) {
        if (leased === undefined) return false;
        const writing = this.#write(lane, leased, runner, written);
        writing.catch(() => undefined); // thrown when its turn comes
        underWay.push(writing);
        if (underWay.length >= plansAhead) isReadable = (await underWay.shift()) === true;
        if (!isReadable) return false;
      }
      given();
      for (const writing of underWay) isReadable = (await writing) && isReadable;
      return isReadable;
    } finally {
      await Promise.allSettled(underWay);
    }
  }

  async #write(
    lane: number,
    { plan, bytes, dataBytes, release }: LeasedPlan,
    runner: Runner,
    written: HearsWritten,
  ): Promise<boolean> {
    try {
      await this.#parts.limits?.write?.take(dataBytes);
      this.#parts.signal?.throwIfAborted();
      const isReadable = await runner.run('write', { lane, plan });
      if (isReadable) written(bytes, dataBytes);
      return isReadable;
    } finally {
      await release();
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#pool?.close();
  }
}
