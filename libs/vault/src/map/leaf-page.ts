import { ByteReader, MalformedBytesError } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { BLOCK_ID_BYTES } from '../container/contents-table.ts';
import { MAX_UNIT_BYTES } from '../container/unit-codec.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import type { CutMethod } from '../port/entry.ts';
import type { Block } from './block.ts';
import type { Stretch } from './stretch.ts';

/** Blocks of a leaf page of a file that is cut into fixed blocks; only the last page of a file has fewer. */
export const LEAF_BLOCKS = 64;
/** A leaf page of a file that is cut by content has at most so many. */
export const MAX_LEAF_BLOCKS = 256;

export function samePlace(a: UnitPlace, b: UnitPlace): boolean {
  if (a === b) return true;
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

/** What a page says of each run of its blocks; the reader stands at the first block. */
interface RunHeader {
  readonly count: number;
  readonly unit: UnitPlace | undefined;
  readonly start: number;
}

function readRunHeader(reader: ByteReader): RunHeader {
  const tag = reader.varint();
  const count = Math.floor(tag / 2);
  if (count === 0 || count > MAX_LEAF_BLOCKS) throw new MalformedBytesError(`a run of ${count} blocks`);
  if (tag % 2 === 1) return { count, unit: undefined, start: 0 };
  const unit: UnitPlace = {
    volume: reader.varint(),
    object: reader.varint(),
    offset: reader.varint(),
    length: reader.varint(),
  };
  if (unit.length > MAX_UNIT_BYTES * 2) throw new MalformedBytesError(`a unit of ${unit.length} bytes`);
  return { count, unit, start: reader.varint() };
}

/** Tells block after block how large it is, and in the end whether they make up the content. */
class BlockSizes {
  private readonly cut: CutMethod;
  private left: number;

  constructor(cut: CutMethod, bytes: number) {
    this.cut = cut;
    this.left = bytes;
  }

  next(reader: ByteReader): number {
    const size = this.cut.kind === 'fixed' ? Math.min(this.cut.blockSize, this.left) : reader.varint();
    if (size === 0 || size > this.left || size > MAX_UNIT_BYTES)
      throw new MalformedBytesError('blocks do not fit their file');
    this.left -= size;
    return size;
  }

  end(): void {
    if (this.left !== 0) throw new MalformedBytesError(`${this.left} bytes of the file have no block`);
  }
}

/**
 * @param bytes of content these blocks make up
 * @throws MalformedBytesError
 */
export function decodeBlocks(page: Uint8Array, cut: CutMethod, bytes: number): Block[] {
  const reader = new ByteReader(page);
  const sizes = new BlockSizes(cut, bytes);
  const blocks: Block[] = [];
  while (reader.remaining > 0) {
    const { count, unit, start: first } = readRunHeader(reader);
    let start = first;
    for (let i = 0; i < count; i++) {
      const size = sizes.next(reader);
      if (unit === undefined) blocks.push({ zero: true, size });
      else blocks.push({ zero: false, size, id: reader.bytes(BLOCK_ID_BYTES), unit, start });
      start += size;
    }
  }
  sizes.end();
  return blocks;
}

/** As `decodeBlocks`, without telling the blocks of a run apart. @throws MalformedBytesError */
export function decodeStretches(page: Uint8Array, cut: CutMethod, bytes: number): Stretch[] {
  const reader = new ByteReader(page);
  const sizes = new BlockSizes(cut, bytes);
  const stretches: Stretch[] = [];
  while (reader.remaining > 0) {
    const { count, unit, start } = readRunHeader(reader);
    let size = 0;
    for (let i = 0; i < count; i++) {
      size += sizes.next(reader);
      if (unit !== undefined) reader.skip(BLOCK_ID_BYTES);
    }
    stretches.push({ unit, start, size });
  }
  sizes.end();
  return stretches;
}
