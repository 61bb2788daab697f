/** The log that a restored cluster will recover with, as files of `pg_wal`. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { LOG_FOLDER } from '../log/log-files.ts';

export const SEGMENT = /^[0-9A-F]{24}$/;
export const HISTORY = /^([0-9A-F]{8})\.history$/;

export interface ReadableLog {
  /** Of segments and history files, in order: those of an older timeline first. */
  names(): Promise<readonly string[]>;
  /** Bytes of a segment. */
  size(segment: string): Promise<number>;
  /** What a segment holds, from its beginning. A piece is good until the next is asked for. */
  content(segment: string): AsyncIterable<Uint8Array>;
  history(name: string): Promise<string>;
}

const CHUNK = 1_048_576;

/** The log of a data folder. */
export class LogOnDisk implements ReadableLog {
  readonly #place: string;

  /** @param folder the data folder, with all the log that its recovery will find */
  constructor(folder: string) {
    this.#place = path.join(folder, LOG_FOLDER);
  }

  async names(): Promise<readonly string[]> {
    return (await readdir(this.#place)).filter((name) => SEGMENT.test(name) || HISTORY.test(name)).sort();
  }

  async size(segment: string): Promise<number> {
    return (await stat(path.join(this.#place, segment))).size;
  }

  async *content(segment: string): AsyncGenerator<Uint8Array, void, void> {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const file = await open(path.join(this.#place, segment), 'r');
    try {
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, CHUNK);
        if (bytesRead === 0) return;
        yield chunk.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async history(name: string): Promise<string> {
    return await readFile(path.join(this.#place, name), 'utf8');
  }
}
