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
import type { ByteString } from '../../../system-calls/index.ts';
import type { Durability } from '../durability.ts';
import type { Metadata, Place } from '../metadata.ts';
import type { RestoreWarnings } from '../restore-warnings.ts';
import { packBatch } from './file-batch.ts';
import { restoringTasks, type FileToMake, type MadeFiles } from './restoring-tasks.ts';

/** What is less than this is done before other threads would have started. */
const few = { files: 500, bytes: 32 * 1024 * 1024 };
/** Each thread holds a few dozen megabytes, and a few of them write as much as disks take. */
const usualThreads = () => Math.min(4, defaultWorkers());
/** Small files that are made with one task, at most. */
const batch = { files: 128, bytes: 1024 * 1024 };
/** To make a file is as much work as writing so many bytes. */
const bytesLikeAFile = 64 * 1024;
/** Plans of one file that a thread is given at once, so that it has the next one when it is done with one. */
const plansAhead = 2;

type Runner = TaskRunner<typeof restoringTasks>;

/** Hears of bytes of content, and how many of them are not known to be zeros. */
export type HearsWritten = (bytes: number, data: number) => void;

interface Waiting {
  readonly entry: StoredEntry;
  readonly file: FileToMake;
  readonly resolve: (made: boolean) => void;
  readonly reject: (error: unknown) => void;
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
  #waiting: Waiting[] = [];
  #waitingBytes = 0;

  constructor(parts: PlannedFilesParts) {
    this.#parts = parts;
    const { files, bytes } = parts.expected;
    if (files > few.files || bytes > few.bytes) {
      const program = workerProgram('./restoring-worker', import.meta.url);
      this.#pool = new WorkerPool({ program, workers: parts.limits?.workers ?? usualThreads() });
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
    const file = this.#fileOf(path, entry, place);
    const told = { bytes: 0, data: 0 };
    const tell = (bytes: number, data: number): void => {
      told.bytes += bytes;
      told.data += data;
      written(bytes, data);
    };
    const made = this.isSmall(entry)
      ? await this.#makeSmall(entry, file, tell)
      : await this.#makeLarge(entry, file, tell);
    if (!made) {
      tell(-told.bytes, -told.data);
      return false;
    }
    if (file.metadata === undefined) this.#parts.metadata.apply(path, entry, place, { isNew: true });
    return true;
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

  async #makeSmall(entry: StoredEntry, file: FileToMake, written: HearsWritten): Promise<boolean> {
    const made = await this.#makeWithOthers(entry, file);
    if (made) written(file.size, file.size);
    return made;
  }

  #makeWithOthers(entry: StoredEntry, file: FileToMake): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting.push({ entry, file, resolve, reject });
    this.#waitingBytes += file.size;
    if (this.#waiting.length >= batch.files || this.#waitingBytes >= batch.bytes) this.#flush();
    return promise;
  }

  #flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#makeTogether(waiting).then(
      (made) => {
        for (const [i, { resolve }] of waiting.entries()) resolve(made?.[i] ?? false);
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error);
      },
    );
  }

  async #makeTogether(waiting: readonly Waiting[]): Promise<readonly boolean[] | undefined> {
    const { planner, signal, limits } = this.#parts;
    const leased = await planner.together(waiting.map(({ entry }) => entry));
    if (leased === undefined) return undefined;
    try {
      await limits?.write?.take(leased.dataBytes);
      signal?.throwIfAborted();
      const files = waiting.map(({ file }, i) => ({ ...file, stretches: leased.counts[i] ?? 0 }));
      const input = { plan: leased.plan, batch: packBatch(files) };
      return await this.#onFreest(leased.bytes + files.length * bytesLikeAFile, async (runner) =>
        this.#heard(await runner.run('files', input)),
      );
    } finally {
      await leased.release();
    }
  }

  /** Gives work that is as much as writing so many bytes to the thread that has least of it. */
  async #onFreest<T>(bytes: number, work: (runner: Runner, thread: number) => Promise<T>): Promise<T> {
    const thread = this.#load.indexOf(Math.min(...this.#load));
    const add = (more: number): void => {
      this.#load[thread] = (this.#load[thread] ?? 0) + more;
    };
    add(bytes);
    try {
      return await work(this.#pool?.on(thread) ?? this.#here, thread);
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
    return await this.#onFreest(file.size, async (runner, thread) => {
      const before = this.#turns[thread];
      const turn = Promise.withResolvers<undefined>();
      const given = (): void => turn.resolve(undefined);
      this.#turns[thread] = turn.promise;
      await before;
      try {
        await runner.run('open', { lane, folder: file.folder, name: file.name });
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
