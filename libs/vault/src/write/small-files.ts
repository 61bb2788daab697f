import type { ContentLayout } from '../map/content-ref.ts';
import type { Block } from '../map/block.ts';
import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import type { AddResult } from '../port/backup-writer.ts';
import type { SegmentBuffers } from './segment-buffers.ts';
import type { FilesOutput } from './station/station-tasks.ts';
import { BLOCK_WORDS, ZERO_BLOCK } from './station/station-tasks.ts';
import type { Stations } from './stations.ts';
import type { UnitPlaces } from './unit-places.ts';

/** Where the content of a file begins in a buffer: what is aligned is hashed and compared faster. */
const ALIGNMENT = 64;
const HASH_BYTES = 32;

/** A file that is stored whole, together with others. */
export class SmallFile {
  readonly size: number;
  readonly blockSize: number;
  /** Settles when it has been stored, or not. */
  readonly done = Promise.withResolvers<AddResult>();
  private stored: { readonly files: FilesOutput; readonly index: number; readonly first: number } | undefined;

  private readonly ended: (bytesNew: number) => void;

  /** @param ended called when it has been stored, or not */
  constructor(size: number, blockSize: number, ended: (bytesNew: number) => void) {
    this.size = size;
    this.blockSize = blockSize;
    this.ended = ended;
  }

  get isStored(): boolean {
    return this.stored !== undefined;
  }

  get blocks(): number {
    return Math.ceil(this.size / this.blockSize);
  }

  /** @param first the number of its first block among those of all files */
  settle(files: FilesOutput, index: number, first: number): void {
    this.stored = { files, index, first };
    const bytesNew = files.bytesNew[index] ?? 0;
    this.ended(bytesNew);
    this.done.resolve({ bytesRead: BigInt(this.size), bytesNew: BigInt(bytesNew), sha256: this.sha256 });
  }

  fail(error: unknown): void {
    this.ended(0);
    this.done.reject(error);
  }

  get sha256(): Uint8Array {
    const { files, index } = this.known;
    return files.hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }

  private get known(): NonNullable<typeof this.stored> {
    if (this.stored === undefined) throw new Error('a file was used that has not been stored');
    return this.stored;
  }

  /** Its blocks; the number of a unit that has no place yet, if there is one. */
  layout(places: UnitPlaces): ContentLayout | number {
    const { files, first } = this.known;
    const blocks: Block[] = [];
    for (let at = first, left = this.size; left > 0; at++) {
      const size = Math.min(left, this.blockSize);
      left -= size;
      const number = files.blocks[at * BLOCK_WORDS] as number;
      if (number === ZERO_BLOCK) {
        blocks.push({ zero: true, size });
        continue;
      }
      const unit = places.find(number);
      if (unit === undefined) return number;
      const id = files.ids.subarray(at * BLOCK_ID_BYTES, (at + 1) * BLOCK_ID_BYTES);
      blocks.push({ zero: false, id, size, start: files.blocks[at * BLOCK_WORDS + 1] as number, unit });
    }
    return { kind: 'inline', blocks };
  }
}

interface OpenBatch {
  readonly buffer: SharedArrayBuffer;
  readonly blockSize: number;
  readonly files: SmallFile[];
  readonly offsets: number[];
  /** Where the next file begins. */
  end: number;
  used: number;
}

/**
 * Puts small files together, so that a task is worth its while: what has come by the end of a turn of the event loop goes.
 * The most frequent of all things to be stored, so that each of them costs one promise and nothing else.
 */
export class SmallFiles {
  private readonly stations: Stations;
  private readonly buffers: SegmentBuffers;
  private readonly size: number;
  private open: OpenBatch | undefined;
  /** Files for which there was no memory. */
  private waiting: { readonly file: SmallFile; readonly bytes: Uint8Array }[] = [];
  private opening: Promise<void> | undefined;
  private readonly underWay = new Set<Promise<void>>();

  /** @param size bytes of an ordinary buffer */
  constructor(stations: Stations, buffers: SegmentBuffers, size: number) {
    this.stations = stations;
    this.buffers = buffers;
    this.size = size;
  }

  /** Stores a file that fits into a buffer. Its bytes must stay as they are until it is done. */
  add(bytes: Uint8Array, blockSize: number, ended: (bytesNew: number) => void): SmallFile {
    const file = new SmallFile(bytes.length, blockSize, ended);
    if (this.waiting.length > 0 || !this.put(file, bytes, () => this.buffers.takeIfFree())) {
      this.waiting.push({ file, bytes });
      this.opening ??= this.openForWaiting();
    }
    return file;
  }

  /** Copies a file into the open batch, or into one that `memory` is given for. */
  private put(file: SmallFile, bytes: Uint8Array, memory: () => SharedArrayBuffer | undefined): boolean {
    const { open } = this;
    if (open === undefined || open.end + bytes.length > this.size || open.blockSize !== file.blockSize) {
      this.post();
      const buffer = memory();
      if (buffer === undefined) return false;
      // Not at the very beginning, so that there is room for what is hashed before a block.
      this.open = { buffer, blockSize: file.blockSize, files: [], offsets: [], end: ALIGNMENT, used: 0 };
      setImmediate(() => this.post());
    }
    const batch = this.open as OpenBatch;
    new Uint8Array(batch.buffer).set(bytes, batch.end);
    batch.files.push(file);
    batch.offsets.push(batch.end);
    batch.used += bytes.length;
    batch.end += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
    return true;
  }

  private async openForWaiting(): Promise<void> {
    try {
      while (this.waiting.length > 0) {
        const memory = [await this.buffers.take()];
        let put = 0;
        for (const { file, bytes } of this.waiting) {
          if (!this.put(file, bytes, () => memory.pop())) break;
          put++;
        }
        for (const unused of memory) this.buffers.give(unused);
        this.waiting.splice(0, put);
      }
    } catch (error) {
      for (const { file } of this.waiting.splice(0)) file.fail(error);
    } finally {
      this.opening = undefined;
    }
  }

  private post(): void {
    const batch = this.open;
    if (batch === undefined) return;
    this.open = undefined;
    const storing = this.store(batch);
    this.underWay.add(storing);
    void storing.then(() => this.underWay.delete(storing));
  }

  /** Resolves when everything that was added is done, well or not. */
  async settled(): Promise<void> {
    for (this.post(); this.opening !== undefined || this.underWay.size > 0; this.post())
      await Promise.all([this.opening, ...this.underWay]);
  }

  private async store({ buffer, blockSize, files, offsets, used }: OpenBatch): Promise<void> {
    try {
      const stored = await this.stations.storeFiles(
        {
          ...{ buffer, blockSize },
          offsets: Uint32Array.from(offsets),
          lengths: Uint32Array.from(files, ({ size }) => size),
        },
        used,
      );
      let first = 0;
      files.forEach((file, index) => {
        file.settle(stored, index, first);
        first += file.blocks;
      });
    } catch (error) {
      for (const file of files) file.fail(error);
    } finally {
      this.buffers.give(buffer);
    }
  }
}
