import type { CutMethod } from '../port/entry.ts';

/**
 * Where the content says that a block ends (gear hash with normalised sizes, as in FastCDC), so that blocks before and
 * after an insertion stay the same. Blocks are between a quarter and four times the average size.
 *
 * The hash after byte b is `(hash << 1) + gear[b]` modulo 2^32. A block ends after a byte at which the upper bits of
 * the hash are zero: two more of them than the average needs while the block is shorter than the average, two fewer
 * after that.
 *
 * @returns the end of the block that begins at `start`; `undefined` when more bytes are needed to tell
 */
function contentEnd(
  bytes: Uint8Array,
  start: number,
  average: number,
  gear: Uint32Array,
): number | undefined {
  const bits = Math.log2(average);
  const strict = -(2 ** (32 - (bits + 2)));
  const loose = -(2 ** (32 - (bits - 2)));
  const longest = start + average * 4;
  const end = Math.min(bytes.length, longest);
  const middle = Math.min(end, start + average);
  let at = start + average / 4;
  let hash = 0;
  for (; at < middle; at++) {
    hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0;
    if ((hash & strict) === 0) return at + 1;
  }
  for (; at < end; at++) {
    hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0;
    if ((hash & loose) === 0) return at + 1;
  }
  return end === longest ? end : undefined;
}

/**
 * Sizes of the blocks that a file's next bytes are cut into. The bytes must begin where a block begins; what is left
 * after the last block must be handed in again with what follows it, unless these are the `last` bytes of the file.
 *
 * @param gear for content that is cut where it says so, see `gearTable`
 */
export function blockSizes(bytes: Uint8Array, cut: CutMethod, gear: Uint32Array, last: boolean): Uint32Array {
  const sizes: number[] = [];
  let start = 0;
  while (start < bytes.length) {
    const fixedEnd = cut.kind === 'fixed' ? start + cut.blockSize : 0;
    const end =
      cut.kind === 'contentDefined'
        ? contentEnd(bytes, start, cut.averageSize, gear)
        : fixedEnd <= bytes.length
          ? fixedEnd
          : undefined;
    if (end === undefined && !last) break;
    sizes.push((end ?? bytes.length) - start);
    start = end ?? bytes.length;
  }
  return Uint32Array.from(sizes);
}

/** Bytes in which at least one block ends, whatever they are. */
export function longestBlock(cut: CutMethod): number {
  return cut.kind === 'fixed' ? cut.blockSize : cut.averageSize * 4;
}
