import { ByteReader, MalformedBytesError } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import { MAX_UNIT_BYTES } from '../container/unit-codec.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import type { CutMethod } from '../port/entry.ts';
import type { Block, PlacedBlock } from './block.ts';

/** Blocks of a leaf page of a file that is cut into fixed blocks; only the last page of a file has fewer. */
export const LEAF_BLOCKS = 64;
/** A leaf page of a file that is cut by content has at most so many. */
export const MAX_LEAF_BLOCKS = 256;

export function samePlace(a: UnitPlace, b: UnitPlace): boolean {
  return a.volume === b.volume && a.object === b.object && a.offset === b.offset && a.length === b.length;
}

function continues(run: readonly Block[], next: Block): boolean {
  const last = run[run.length - 1];
  if (last === undefined) return false;
  if (last.zero || next.zero) return last.zero === next.zero;
  return samePlace(last.unit, next.unit) && last.start + last.size === next.start;
}

function encodeRun(out: ByteWriter, run: readonly Block[], cut: CutMethod): void {
  const [first] = run;
  if (first === undefined) return;
  out.varint(run.length * 2 + (first.zero ? 1 : 0));
  if (!first.zero) {
    const { volume, object, offset, length } = first.unit;
    out.varint(volume).varint(object).varint(offset).varint(length).varint(first.start);
  }
  for (const block of run) {
    if (cut.kind === 'contentDefined') out.varint(block.size);
    if (!block.zero) out.bytes(block.id);
  }
}

/** Blocks that follow each other in one unit share a run. Equal blocks give equal bytes. */
export function encodeBlocks(blocks: readonly Block[], cut: CutMethod): Buffer {
  const out = new ByteWriter(64 + blocks.length * (BLOCK_ID_BYTES + 2));
  let run: Block[] = [];
  for (const block of blocks) {
    if (!continues(run, block)) {
      encodeRun(out, run, cut);
      run = [];
    }
    run.push(block);
  }
  encodeRun(out, run, cut);
  return out.take();
}

/**
 * @param bytes of content these blocks make up
 * @throws MalformedBytesError
 */
export function decodeBlocks(page: Uint8Array, cut: CutMethod, bytes: number): Block[] {
  const reader = new ByteReader(page);
  const blocks: Block[] = [];
  let left = bytes;
  const sizeOf = () => {
    const size = cut.kind === 'fixed' ? Math.min(cut.blockSize, left) : reader.varint();
    if (size === 0 || size > left || size > MAX_UNIT_BYTES)
      throw new MalformedBytesError('blocks do not fit their file');
    left -= size;
    return size;
  };
  while (reader.remaining > 0) {
    const tag = reader.varint();
    const count = Math.floor(tag / 2);
    if (count === 0 || count > MAX_LEAF_BLOCKS) throw new MalformedBytesError(`a run of ${count} blocks`);
    if (tag % 2 === 1) {
      for (let i = 0; i < count; i++) blocks.push({ zero: true, size: sizeOf() });
      continue;
    }
    const unit: UnitPlace = {
      volume: reader.varint(),
      object: reader.varint(),
      offset: reader.varint(),
      length: reader.varint(),
    };
    if (unit.length > MAX_UNIT_BYTES * 2) throw new MalformedBytesError(`a unit of ${unit.length} bytes`);
    let start = reader.varint();
    for (let i = 0; i < count; i++) {
      const size = sizeOf();
      const block: PlacedBlock = { zero: false, size, id: reader.bytes(BLOCK_ID_BYTES), unit, start };
      blocks.push(block);
      start += size;
    }
  }
  if (left !== 0) throw new MalformedBytesError(`${left} bytes of the file have no block`);
  return blocks;
}
