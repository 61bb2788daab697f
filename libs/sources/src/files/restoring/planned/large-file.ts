import { UnreadableUnitError, type PlannedPiece } from '@catena/vault/threads';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import {
  DIRECT_ALIGNMENT,
  openForDirectWriting,
  startWriting,
  systemCodeOf,
  type ByteString,
  type FolderHandle,
} from '../../../system-calls/index.ts';
import { dataIn, writeOnThread } from '../write-content.ts';
import type { BlockMemory } from './block-memory.ts';
import { NewFile } from './new-file.ts';

/** Less is left to the page cache: to wait for the disk for each of many small pieces would take far longer. */
const leastDirect = 128 * 1024;

/**
 * A large file that is being written, with holes where its content is zeros. Content is gathered in blocks; while one of
 * them is being written, the next one is gathered and hashed. The blocks go past the page cache, where that can be done: to
 * copy them there, and to write them from there later, takes more processor time than all else about them.
 */
export class LargeFile extends NewFile {
  readonly #size: number;
  readonly #memory: BlockMemory;
  readonly #hash = createHash('sha256');
  #direct: number | undefined;
  /** What is being gathered, and how much that is. */
  #block: Buffer | undefined;
  #filled = 0;
  /** Where that goes: always a multiple of the length of a block. */
  #position = 0;
  /** Of the block before. */
  #writing: Promise<void> = Promise.resolve();

  /** @param size of all of its content */
  constructor(folder: FolderHandle, name: ByteString, size: number, memory: BlockMemory) {
    super(folder, name);
    this.#size = size;
    this.#memory = memory;
    try {
      // A file that does not grow with each block is written without changing the inode for each of them.
      fs.ftruncateSync(this.descriptor, size);
    } catch (error) {
      this.remove();
      throw error;
    }
    if (size >= leastDirect) this.#direct = openForDirectWriting(this.descriptor);
  }

  /**
   * What comes next of the content.
   * @throws UnreadableUnitError when it is more than all of it
   */
  async write(pieces: Iterable<PlannedPiece>): Promise<void> {
    for (const piece of pieces) {
      const length = typeof piece === 'number' ? piece : piece.length;
      if (this.#position + this.#filled + length > this.#size) throw new UnreadableUnitError();
      for (let done = 0; done < length;) {
        const block = (this.#block ??= this.#memory.take());
        const end = Math.min(block.length, this.#filled + length - done);
        if (typeof piece === 'number') block.fill(0, this.#filled, end);
        else piece.copy(block, this.#filled, done);
        done += end - this.#filled;
        this.#filled = end;
        if (end === block.length) await this.#writeBlock(block);
      }
    }
    // The file that is next on this thread needs the memory.
    if (this.#block !== undefined && this.#position + this.#filled === this.#size)
      await this.#writeBlock(this.#block);
  }

  /** Begins to write what was gathered. Resolves when the block before it has been written. */
  async #writeBlock(block: Buffer): Promise<void> {
    const [position, length] = [this.#position, this.#filled];
    this.#hash.update(block.subarray(0, length));
    await this.#writing;
    this.#writing = this.#put(block, length, position).finally(() => this.#memory.giveBack(block));
    this.#writing.catch(() => undefined); // thrown when it is waited for
    this.#block = undefined;
    this.#position += length;
    this.#filled = 0;
  }

  async #put(block: Buffer, length: number, position: number): Promise<void> {
    const whole = Math.ceil(length / DIRECT_ALIGNMENT) * DIRECT_ALIGNMENT;
    block.fill(0, length, whole); // so that zeros at the end of a file are a hole too
    for (const [start, end] of dataIn(block.subarray(0, whole), position)) {
      const bytes = block.subarray(start, Math.min(end, length));
      const direct = await this.#putDirectly(bytes, position + start);
      const left = bytes.subarray(direct);
      const at = position + start + direct;
      for (let done = 0; done < left.length;)
        done += await writeOnThread(this.descriptor, left, done, left.length - done, at + done);
      if (left.length >= leastDirect) startWriting(this.descriptor, at, left.length);
    }
  }

  /** Writes what can be written past the page cache of the bytes, from their start on; answers how much that was. */
  async #putDirectly(bytes: Buffer, position: number): Promise<number> {
    const whole = bytes.length - (bytes.length % DIRECT_ALIGNMENT);
    if (whole < leastDirect) return 0;
    let done = 0;
    while (this.#direct !== undefined && done < whole) {
      try {
        done += await writeOnThread(this.#direct, bytes, done, whole - done, position + done);
      } catch (error) {
        if (systemCodeOf(error) !== 'EINVAL') throw error;
        // A disk that asks for more than is usual.
        this.#closeDirect();
      }
    }
    return done;
  }

  /** Resolves when everything that came has been written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** Whether all of the content has been written, as it was. */
  holds(size: number, sha256: Uint8Array): boolean {
    return this.#position === size && Buffer.compare(this.#hash.digest(), sha256) === 0;
  }

  /** Resolves when nothing is being written any more; the file is still open. Harmless to repeat. */
  async stop(): Promise<void> {
    await this.#writing.catch(() => undefined);
    if (this.#block !== undefined) this.#memory.giveBack(this.#block);
    this.#block = undefined;
    this.#closeDirect();
  }

  #closeDirect(): void {
    const file = this.#direct;
    this.#direct = undefined;
    if (file !== undefined) fs.closeSync(file);
  }
}
