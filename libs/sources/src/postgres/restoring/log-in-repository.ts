/**
 * The log as a restored data folder will have it, read from the repository before anything is written: the segments that the data
 * backup carries, and what the logs put in their place or behind them (see `writeLogs`).
 */
import type { BackupReader, StoredEntry } from '@catena/vault';
import type { LogToRoll } from '../../port/source-driver.ts';
import { LOG_FOLDER, readPartName } from '../log/log-files.ts';
import { HISTORY, SEGMENT, type ReadableLog } from './readable-log.ts';
import { segmentSizeOf } from './roll-logs.ts';

/** What one backup holds of a file. */
interface Part {
  /** Of the log; undefined for the data backup. */
  readonly log: number | undefined;
  readonly path: Uint8Array;
  /** Where it lies in the file. */
  readonly offset: number;
  readonly length: number;
}

const ZEROS = Buffer.alloc(65_536);

export class LogInRepository implements ReadableLog {
  readonly #base: BackupReader;
  readonly #logs: readonly LogToRoll[];
  readonly #parts = new Map<string, readonly Part[]>();
  readonly #sizes = new Map<string, number>();
  /** One log is open at a time. */
  #open: { readonly log: number; readonly reader: BackupReader } | undefined;

  private constructor(base: BackupReader, logs: readonly LogToRoll[]) {
    this.#base = base;
    this.#logs = logs;
  }

  /** @param base is left for the caller to close */
  static async list(
    base: BackupReader,
    logs: readonly LogToRoll[],
    signal?: AbortSignal,
  ): Promise<LogInRepository> {
    const log = new LogInRepository(base, logs);
    try {
      for await (const entry of base.entries({ under: Buffer.from(LOG_FOLDER) })) log.#add(undefined, entry);
      for (const [index, { manifest }] of logs.entries()) {
        signal?.throwIfAborted();
        const size = segmentSizeOf(manifest);
        const reader = await log.#reader(index);
        for await (const entry of reader.entries({ under: Buffer.from(LOG_FOLDER) }))
          log.#add(index, entry, size);
      }
      return log;
    } catch (error) {
      await log[Symbol.asyncDispose]();
      throw error;
    }
  }

  names(): Promise<readonly string[]> {
    return Promise.resolve([...this.#parts.keys()].sort());
  }

  size(segment: string): Promise<number> {
    return Promise.resolve(this.#sizes.get(segment) ?? 0);
  }

  async *content(segment: string): AsyncGenerator<Uint8Array, void, void> {
    let at = 0;
    for (const part of this.#parts.get(segment) ?? []) {
      yield* zeros(part.offset - at);
      at = part.offset;
      const end = part.offset + part.length;
      for await (const piece of await this.#contentOf(part)) {
        yield piece.subarray(0, end - at);
        at += piece.length;
        if (at >= end) break;
      }
      at = end;
    }
    // What is behind the log's end is zeros.
    yield* zeros((this.#sizes.get(segment) ?? at) - at);
  }

  async history(name: string): Promise<string> {
    const pieces: Buffer[] = [];
    for await (const piece of this.content(name)) pieces.push(Buffer.from(piece));
    return Buffer.concat(pieces).toString('utf8');
  }

  /** @param segmentSize of the log; a data backup has whole segments */
  #add(log: number | undefined, { path, size, kind }: StoredEntry, segmentSize = Number(size)): void {
    const full = Buffer.from(path).toString('utf8');
    const name = full.slice(LOG_FOLDER.length + 1);
    if (kind !== 'file') return;
    const whole = { log, path, offset: 0, length: Number(size) };
    const part = readPartName(name);
    if (part !== undefined) {
      const before = this.#parts.get(part.segment);
      // What a segment is the end of is there, or it lies before what the data backup needs.
      if (before === undefined) return;
      this.#parts.set(part.segment, [...cutAt(before, part.offset), { ...whole, offset: part.offset }]);
    } else if (SEGMENT.test(name) || HISTORY.test(name)) {
      this.#parts.set(name, [whole]);
      this.#sizes.set(name, HISTORY.test(name) ? Number(size) : segmentSize);
    }
  }

  async #contentOf({ log, path }: Part): Promise<AsyncIterable<Uint8Array>> {
    const reader = log === undefined ? this.#base : await this.#reader(log);
    const entry = await reader.find(path);
    if (entry === undefined) throw new Error('A backup no longer has what it listed.');
    return reader.content(entry);
  }

  async #reader(log: number): Promise<BackupReader> {
    if (this.#open?.log === log) return this.#open.reader;
    await this[Symbol.asyncDispose]();
    const reader = await this.#logs[log]?.open();
    if (reader === undefined) throw new RangeError(`There is no log ${log}.`);
    this.#open = { log, reader };
    return reader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.reader.close();
  }
}

function cutAt(parts: readonly Part[], offset: number): Part[] {
  return parts
    .filter((part) => part.offset < offset)
    .map((part) => ({ ...part, length: Math.min(part.length, offset - part.offset) }));
}

function* zeros(count: number): Generator<Uint8Array, void, void> {
  for (let left = count; left > 0; left -= ZEROS.length)
    yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}
