import * as fs from 'node:fs';
import { addressOf } from './libc.ts';

/** Memory, offset and length of what is written past the page cache are multiples of this: what disks ask for at most. */
export const DIRECT_ALIGNMENT = 4096;

/** Memory that can be written past the page cache. */
export function alignedMemory(bytes: number): Buffer {
  const memory = Buffer.allocUnsafeSlow(bytes + DIRECT_ALIGNMENT);
  const over = Number(addressOf(memory) % BigInt(DIRECT_ALIGNMENT));
  const start = over === 0 ? 0 : DIRECT_ALIGNMENT - over;
  return memory.subarray(start, start + bytes);
}

/**
 * A second descriptor of an open file, whose writes go past the page cache: nothing is copied, and nothing is left for
 * later. `undefined` where that cannot be had (some file systems; no `/proc`). The caller closes it.
 */
export function openForDirectWriting(file: number): number | undefined {
  try {
    return fs.openSync(`/proc/self/fd/${file}`, fs.constants.O_WRONLY | fs.constants.O_DIRECT);
  } catch {
    // Whatever stands in the way, the file itself can be written.
    return undefined;
  }
}
