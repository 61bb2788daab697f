import { BLOCK_ID_BYTES } from '../../container/contents-table.ts';
import type { Station } from './station.ts';
import type { Piece } from './station-tasks.ts';
import { BLOCK_WORDS, KNOWN_BLOCK, ZERO_BLOCK } from './station-tasks.ts';

const ZEROS = Buffer.alloc(1024 * 1024);

/** Blocks of any number of files in one buffer. */
export interface Cut {
  readonly bytes: Buffer;
  readonly sizes: Uint32Array;
  /** Where each block begins in the buffer. */
  readonly offsets: Uint32Array;
}

export function cutOf(bytes: Buffer, { sizes, offset }: Piece): Cut {
  const offsets = new Uint32Array(sizes.length);
  let at = offset;
  for (let i = 0; i < sizes.length; i++) {
    offsets[i] = at;
    at += sizes[i] as number;
  }
  return { bytes, sizes, offsets };
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== 0 || bytes[end - 1] !== 0) return false;
  for (let at = start; at < end; at += ZEROS.length) {
    const length = Math.min(ZEROS.length, end - at);
    if (bytes.compare(ZEROS, 0, length, at, at + length) !== 0) return false;
  }
  return true;
}

function sameId(ids: Uint32Array, before: Uint32Array, block: number): boolean {
  const at = block * 4;
  return (
    ids[at] === before[at] &&
    ids[at + 1] === before[at + 1] &&
    ids[at + 2] === before[at + 2] &&
    ids[at + 3] === before[at + 3]
  );
}

/** Identities as words, four for each block. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** Identities of blocks; blocks of zeros get none. Marks them in `blocks`. */
export function identify(
  station: Station,
  { bytes, sizes, offsets }: Cut,
  zeros: boolean,
  blocks: Uint32Array,
): Uint8Array<ArrayBuffer> {
  const ids = new Uint8Array(sizes.length * BLOCK_ID_BYTES);
  for (let i = 0; i < sizes.length; i++) {
    const at = offsets[i] as number;
    const end = at + (sizes[i] as number);
    blocks[i * BLOCK_WORDS] = KNOWN_BLOCK;
    if (zeros && isZero(bytes, at, end)) blocks[i * BLOCK_WORDS] = ZERO_BLOCK;
    else station.identities.write(bytes, at, end, ids, i * BLOCK_ID_BYTES);
  }
  return ids;
}

/** Decides for each block whether and where it is stored. @returns which ones are new */
export function decide(
  station: Station,
  { sizes, known, before: beforeBytes }: Pick<Piece, 'sizes' | 'known' | 'before'>,
  ids: Uint32Array,
  blocks: Uint32Array,
): number[] {
  const before = beforeBytes && wordsOf(beforeBytes);
  const { recent, filler } = station;
  const fresh: number[] = [];
  let ahead: { unit: number; length: number } | undefined;
  recent.locked(() => {
    for (let i = 0; i < sizes.length; i++) {
      if (blocks[i * BLOCK_WORDS] === ZERO_BLOCK || known?.[i] === 1) continue;
      if (before !== undefined && sameId(ids, before, i)) continue;
      const size = sizes[i] as number;
      let place = recent.find(ids, i, size);
      if (place === undefined) {
        ahead = filler.plan(size, ahead);
        place = { unit: ahead.unit, start: ahead.length - size };
        recent.remember(ids, i, size, place);
        fresh.push(i);
      }
      blocks[i * BLOCK_WORDS] = place.unit;
      blocks[i * BLOCK_WORDS + 1] = place.start;
    }
  });
  return fresh;
}

/** Puts the new ones of the blocks where they were decided to be. */
export function fill(
  { filler }: Station,
  { bytes, sizes, offsets }: Cut,
  fresh: readonly number[],
  ids: Uint8Array,
  blocks: Uint32Array,
): void {
  for (const i of fresh) {
    const at = offsets[i] as number;
    const block = { bytes, start: at, end: at + (sizes[i] as number) };
    filler.add(blocks[i * BLOCK_WORDS] as number, block, ids, i * BLOCK_ID_BYTES);
  }
}
