import { ByteReader, MalformedBytesError } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { HEADER_BYTES } from './object-header.ts';

/** Bytes of a block's identity. */
export const BLOCK_ID_BYTES = 16;

export interface ContentsBlock {
  readonly id: Uint8Array;
  readonly size: number;
}

/** Where one unit of an object lies in it. */
export interface UnitSpan {
  readonly offset: number;
  /** As sealed. */
  readonly length: number;
}

/** One unit of an object; pages have no blocks. */
export interface ContentsUnit extends UnitSpan {
  readonly blocks: readonly ContentsBlock[];
}

/** The blocks of a unit that is being filled, as its object's table will list them. */
export class UnitBlocks {
  private readonly out = new ByteWriter(4096);
  private count = 0;

  add(size: number, ids: Uint8Array, at: number): void {
    this.count++;
    this.out.varint(size).part(ids, at, BLOCK_ID_BYTES);
  }

  /** Writes them and begins with none. */
  moveTo(out: ByteWriter): void {
    out.varint(this.count).written(this.out);
    this.count = 0;
    this.out.length = 0;
  }
}

/** What an object holds, at its end: enough to use its blocks again, or to check it unit by unit. */
export class ContentsTableWriter {
  private readonly out = new ByteWriter(4096);
  units = 0;

  add(length: number, blocks: readonly ContentsBlock[]): void {
    this.units++;
    this.out.varint(length).varint(blocks.length);
    for (const block of blocks) this.out.varint(block.size).bytes(block.id);
  }

  /** As `add`, of a unit whose blocks are encoded already. */
  addUnit(length: number, blocks: UnitBlocks): void {
    this.units++;
    this.out.varint(length);
    blocks.moveTo(this.out);
  }

  get bytes(): number {
    return this.out.length;
  }

  encode(): Buffer {
    return this.out.take();
  }
}

/** @throws MalformedBytesError */
export function decodeContents(bytes: Uint8Array, units: number): ContentsUnit[] {
  return decodeTable(bytes, units, (span, count, reader) => {
    const blocks: ContentsBlock[] = [];
    for (let i = 0; i < count; i++)
      blocks.push({ size: reader.varint(), id: Uint8Array.from(reader.bytes(BLOCK_ID_BYTES)) });
    return { ...span, blocks };
  });
}

/**
 * As `decodeContents`, without keeping the blocks: of an object that compresses well they are very many.
 * @param visit told of each block; `id` is a view that must not be kept
 */
export function decodeUnitSpans(
  bytes: Uint8Array,
  units: number,
  visit?: (unit: UnitSpan, size: number, id: Buffer) => void,
): UnitSpan[] {
  return decodeTable(bytes, units, (span, count, reader) => {
    for (let i = 0; i < count; i++) {
      const size = reader.varint();
      if (visit === undefined) reader.skip(BLOCK_ID_BYTES);
      else visit(span, size, reader.bytes(BLOCK_ID_BYTES));
    }
    return span;
  });
}

function decodeTable<T>(
  bytes: Uint8Array,
  units: number,
  unitOf: (span: UnitSpan, blocks: number, reader: ByteReader) => T,
): T[] {
  const reader = new ByteReader(bytes);
  const contents: T[] = [];
  let offset = HEADER_BYTES;
  for (let i = 0; i < units; i++) {
    const length = reader.varint();
    const count = reader.varint();
    if (count > reader.remaining) throw new MalformedBytesError('more blocks than bytes');
    contents.push(unitOf({ offset, length }, count, reader));
    offset += length;
  }
  if (reader.remaining > 0) throw new MalformedBytesError('bytes after the contents table');
  return contents;
}
