/**
 * PostgreSQL's page checksum: 32 interleaved FNV-1a-like sums over the page as 32-bit words, with the block number mixed
 * in so that a page at the wrong place is noticed. Its own field counts as zero.
 */

export const PAGE_BYTES = 8192;
/** Pages in one segment file of 1 GiB. */
export const SEGMENT_PAGES = 131_072;

const LANES = 32;
const WORDS = PAGE_BYTES / 4;
const PRIME = 16_777_619;
const CHECKSUM_AT = 8;
const UPPER_AT = 14;

const SEEDS = Int32Array.of(
  ...[0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a, 0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c],
  ...[0xf8d4474f, 0xe39eb970, 0x42c6ae16, 0x993216fa, 0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb],
  ...[0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de, 0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4],
  ...[0x783125bb, 0x6ca8eaa2, 0xe407eac6, 0x4b5cfc3e, 0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756],
);

const lanes = new Int32Array(LANES);
const words = new Int32Array(WORDS);
const wordBytes = Buffer.from(words.buffer);

/** The checksum a page must have at a block number. */
export function pageChecksum(page: Uint8Array, block: number): number {
  wordBytes.set(page);
  // The field is the lower half of the third word.
  words[CHECKSUM_AT / 4] = (words[CHECKSUM_AT / 4] ?? 0) & 0xffff0000;
  lanes.set(SEEDS);
  for (let row = 0; row < WORDS; row += LANES) mixRow(row);
  for (let round = 0; round < 2; round++) mixZeros();
  let sum = 0;
  for (let lane = 0; lane < LANES; lane++) sum ^= lanes[lane] ?? 0;
  return (((sum ^ block) >>> 0) % 65_535) + 1;
}

function mixRow(row: number): void {
  for (let lane = 0; lane < LANES; lane++) {
    const mixed = (lanes[lane] ?? 0) ^ (words[row + lane] ?? 0);
    lanes[lane] = Math.imul(mixed, PRIME) ^ (mixed >>> 17);
  }
}

function mixZeros(): void {
  for (let lane = 0; lane < LANES; lane++) {
    const mixed = lanes[lane] ?? 0;
    lanes[lane] = Math.imul(mixed, PRIME) ^ (mixed >>> 17);
  }
}

/** Pages that were never written to (all zeros, or without content) carry no checksum. */
export function hasChecksum(page: Uint8Array): boolean {
  return ((page[UPPER_AT] ?? 0) | (page[UPPER_AT + 1] ?? 0)) !== 0;
}

export function storedChecksum(page: Uint8Array): number {
  return (page[CHECKSUM_AT] ?? 0) | ((page[CHECKSUM_AT + 1] ?? 0) << 8);
}

/** Where the log was when the page was changed last. */
export function pagePosition(page: Buffer): bigint {
  return (BigInt(page.readUInt32LE(0)) << 32n) | BigInt(page.readUInt32LE(4));
}

/** Whether a page is damaged: it was not written since `start`, and its checksum is not the one it must have. */
export function isDamagedPage(page: Buffer, block: number, start: bigint): boolean {
  if (!hasChecksum(page)) return false;
  if (pageChecksum(page, block) === storedChecksum(page)) return false;
  return pagePosition(page) <= start;
}
