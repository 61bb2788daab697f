import { alignedMemory } from '../../../system-calls/index.ts';

/** Bytes that are gathered of a large file before they are written: what a disk takes at one go. */
const blockBytes = 1024 * 1024;

/** Memory that the large files of a thread are gathered in, used again and again. */
export class BlockMemory {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? alignedMemory(blockBytes);
  }

  giveBack(block: Buffer): void {
    this.#free.push(block);
  }
}
