/**
 * The files `INCREMENTAL.<name>` of an incremental base backup: which pages changed, and these pages. Written by the
 * server from what it knows of its log; numbers are little-endian.
 */
import { PAGE_BYTES, SEGMENT_PAGES } from './page-checksum.ts';

const MAGIC = 0xd3ae1f0d;
const PREFIX = 'INCREMENTAL.';
export const FIXED_HEADER_BYTES = 12;

/** What an incremental file says of the file it is of. */
export interface IncrementalHeader {
  /** Pages the file was shortened to at some moment: what the parent has beyond that is not of this file. */
  readonly truncation: number;
  /** Numbers of the pages that follow, within the segment, ascending. */
  readonly blocks: Uint32Array;
}

/** The path of the file that an incremental file is of; undefined for a file that was sent whole. */
export function targetOfIncremental(path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  if (!path.startsWith(PREFIX, slash + 1)) return undefined;
  return path.slice(0, slash + 1) + path.slice(slash + 1 + PREFIX.length);
}

/** Bytes from the file's beginning to its first page, as its first twelve bytes say. Throws for what is no such file. */
export function headerLength(fixed: Buffer, path: string): number {
  if (fixed.readUInt32LE(0) !== MAGIC) throw wrong(path, 'it does not begin as one');
  const count = fixed.readUInt32LE(4);
  if (count > SEGMENT_PAGES) throw wrong(path, `it claims ${count} pages`);
  if (count === 0) return FIXED_HEADER_BYTES;
  const length = FIXED_HEADER_BYTES + count * 4;
  return Math.ceil(length / PAGE_BYTES) * PAGE_BYTES;
}

/** @param size of the whole incremental file */
export function readIncrementalHeader(header: Buffer, size: number, path: string): IncrementalHeader {
  const count = header.readUInt32LE(4);
  const truncation = header.readUInt32LE(8);
  if (truncation > SEGMENT_PAGES) throw wrong(path, `it claims a length of ${truncation} pages`);
  if (size !== header.length + count * PAGE_BYTES) throw wrong(path, 'its size is not that of its pages');
  const blocks = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const block = header.readUInt32LE(FIXED_HEADER_BYTES + index * 4);
    const before = index === 0 ? -1 : (blocks[index - 1] ?? 0);
    if (block <= before || block >= SEGMENT_PAGES) throw wrong(path, 'its page numbers are not in order');
    blocks[index] = block;
  }
  return { truncation, blocks };
}

/** How many pages the file has: as many as were left when it was shortest, and more where pages follow behind. */
export function pagesOf({ truncation, blocks }: IncrementalHeader): number {
  return Math.max(truncation, (blocks.at(-1) ?? -1) + 1);
}

function wrong(path: string, why: string): Error {
  return new Error(`the server sent ${path}, which is no incremental file: ${why}`);
}
