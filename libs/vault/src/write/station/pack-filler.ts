import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import { ContentsTableWriter, UnitBlocks } from '../../container/contents-table.ts';
import { encodeFooterEnd, encodeFooterStart } from '../../container/object-footer.ts';
import { encodeHeader } from '../../container/object-header.ts';
import { RAW_METHOD, savesEnough, ZSTD_METHOD } from '../../container/unit-codec.ts';
import type { UnitSeal } from '../../container/unit-seal.ts';
import { unitSeal } from '../../container/unit-seal.ts';
import { looksIncompressible } from './incompressible.ts';
import type { RecentBlocks } from './recent-blocks.ts';
import type { StationOptions } from './station-tasks.ts';

/** A pack of very many very small blocks is closed before its table grows larger than this. */
const MAX_CONTENTS_BYTES = 4 * 1024 * 1024;

/** A pack is handed over in parts of this size; the last of it is as large as it is. */
const PART_BYTES = 1280 * 1024;
const MAX_SPARE = 2;

/** Where a unit has come to lie. */
export interface PlacedUnit {
  readonly unit: number;
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
}

/** Bytes of a pack, in the pack's order. */
export interface SealedPart {
  readonly pack: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The pack is whole with this. */
  readonly last: boolean;
}

interface OpenPack {
  readonly number: number;
  readonly seal: UnitSeal;
  readonly contents: ContentsTableWriter;
  readonly hash: Hash;
  offset: number;
  /** Holds what has been sealed since the part before was full. */
  part: ArrayBuffer;
  partLength: number;
}

interface OpenUnit {
  readonly number: number;
  buffer: Buffer;
  length: number;
}

/** A block that lies in a buffer. */
export interface BlockBytes {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Large memory that is not needed any more is returned at once; the collector would let much of it pile up. */
function giveBack({ buffer }: Uint8Array): void {
  // What is not larger may share its memory with others.
  if (buffer.byteLength > Buffer.poolSize && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Puts blocks into units and units into packs, one after another; what is ready is taken away with `take`. */
export class PackFiller {
  private readonly options: StationOptions;
  private readonly recent: RecentBlocks;
  private pack: OpenPack | undefined;
  private unit: OpenUnit | undefined;
  private spare: Buffer | undefined;
  /** The blocks of the open unit. */
  private readonly blocks = new UnitBlocks();
  private units: PlacedUnit[] = [];
  private sealed: SealedPart[] = [];
  /** Memory that sealed bytes were in, to be used again. */
  private readonly spareParts: ArrayBuffer[] = [];
  private blockBytes = 0;

  constructor(options: StationOptions, recent: RecentBlocks) {
    this.options = options;
    this.recent = recent;
  }

  /**
   * Says where a block would be put if `add` were called next, without putting it there: `ahead` is what other blocks
   * were told before.
   */
  plan(size: number, ahead: { unit: number; length: number } | undefined): { unit: number; length: number } {
    const now = ahead ?? (this.unit && { unit: this.unit.number, length: this.unit.length });
    const fits = now !== undefined && now.unit !== 0 && now.length + size <= this.options.unitBytes;
    return fits
      ? { unit: now.unit, length: now.length + size }
      : { unit: this.recent.nextUnit(), length: size };
  }

  /** Puts a block into the unit it was planned for; its identity lies in `ids` at a place. */
  add(unit: number, block: BlockBytes, ids: Uint8Array, idAt: number): void {
    if (this.unit !== undefined && this.unit.number !== unit) this.closeUnit();
    const { unitBytes } = this.options;
    const length = block.end - block.start;
    this.unit ??= {
      number: unit,
      buffer:
        length > unitBytes
          ? Buffer.allocUnsafeSlow(length)
          : (this.spare ?? Buffer.allocUnsafeSlow(unitBytes)),
      length: 0,
    };
    const open = this.unit;
    block.bytes.copy(open.buffer, open.length, block.start, block.end);
    open.length += length;
    this.blocks.add(length, ids, idAt);
    this.blockBytes += length;
    if (open.length >= unitBytes) this.closeUnit();
  }

  /** Closes the open unit, however small. */
  closeUnit(): void {
    const { unit } = this;
    if (unit === undefined) return;
    this.unit = undefined;
    if (unit.buffer.length === this.options.unitBytes) this.spare = unit.buffer;
    const pack = (this.pack ??= this.begin());
    const { offset } = pack;
    const plain = unit.buffer.subarray(0, unit.length);
    const compressed = this.compressed(plain);
    const length = this.seal(pack, compressed === undefined ? RAW_METHOD : ZSTD_METHOD, compressed ?? plain);
    if (compressed !== undefined) giveBack(compressed);
    pack.contents.addUnit(length, this.blocks);
    this.units.push({ unit: unit.number, pack: pack.number, offset, length });
    if (pack.offset >= this.options.packBytes || pack.contents.bytes >= MAX_CONTENTS_BYTES) this.closePack();
  }

  private compressed(plain: Buffer): Uint8Array | undefined {
    if (looksIncompressible(plain)) return undefined;
    const compressed = zstdCompressSync(plain, {
      params: { [constants.ZSTD_c_compressionLevel]: this.options.compressionLevel },
      pledgedSrcSize: plain.length,
      // Room for the worst case, so that the result comes in one piece.
      chunkSize: Math.max(1024, plain.length + (plain.length >>> 7) + 512),
    });
    return savesEnough(plain.length, compressed.length) ? compressed : undefined;
  }

  private begin(): OpenPack {
    const { volume, key } = this.options;
    const number = this.recent.nextPack();
    const identity = { kind: 'pack', number, ...{ volume: volume.id, origin: volume.origin } } as const;
    const named = key === undefined ? identity : { ...identity, key: key.id };
    const seal = unitSeal(named, key?.secret);
    const pack: OpenPack = {
      number,
      seal,
      contents: new ContentsTableWriter(),
      hash: createHash('sha256'),
      offset: 0,
      part: this.memory(),
      partLength: 0,
    };
    this.write(pack, encodeHeader(named));
    return pack;
  }

  private seal(pack: OpenPack, method: Uint8Array, data: Uint8Array): number {
    const begin = pack.offset;
    for (const part of pack.seal.seal([method, data], begin)) this.write(pack, part);
    return pack.offset - begin;
  }

  private write(pack: OpenPack, bytes: Uint8Array): void {
    pack.hash.update(bytes);
    this.put(pack, bytes);
  }

  /**
   * Only what fills a part is handed over: were it what each task has sealed, small content would be in as many parts as
   * there are tasks, and each would hold the memory of a full one until it is written.
   */
  private put(pack: OpenPack, bytes: Uint8Array): void {
    pack.offset += bytes.length;
    for (let at = 0; at < bytes.length;) {
      if (pack.partLength === PART_BYTES) {
        this.handOver(pack, false);
        pack.part = this.memory();
        pack.partLength = 0;
      }
      const count = Math.min(bytes.length - at, PART_BYTES - pack.partLength);
      new Uint8Array(pack.part, pack.partLength, count).set(bytes.subarray(at, at + count));
      at += count;
      pack.partLength += count;
    }
    giveBack(bytes);
  }

  private handOver({ number, part, partLength }: OpenPack, last: boolean): void {
    this.sealed.push({ pack: number, bytes: new Uint8Array(part, 0, partLength), last });
  }

  private memory(): ArrayBuffer {
    return this.spareParts.pop() ?? new ArrayBuffer(PART_BYTES);
  }

  /** Takes back the memory of sealed bytes that have been written. */
  reuse(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) {
      // What one thread does not need at once would be missing to the others, which make new memory.
      if (buffer.byteLength === PART_BYTES && this.spareParts.length < MAX_SPARE)
        this.spareParts.push(buffer);
      else buffer.transfer(0);
    }
  }

  /** Closes the open unit and the open pack. */
  closePack(): void {
    this.closeUnit();
    const { pack } = this;
    if (pack === undefined) return;
    this.pack = undefined;
    const contentsOffset = pack.offset;
    const contentsLength = this.seal(pack, RAW_METHOD, pack.contents.encode());
    const { units } = pack.contents;
    this.write(pack, encodeFooterStart({ contentsOffset, contentsLength, units }));
    this.put(pack, encodeFooterEnd(pack.hash.digest()));
    this.handOver(pack, true);
  }

  /** Where units have come to lie, and the parts of packs that have been filled, since the last time. */
  take(): { units: PlacedUnit[]; sealed: SealedPart[]; blockBytes: number } {
    const { units, sealed, blockBytes } = this;
    this.units = [];
    this.sealed = [];
    this.blockBytes = 0;
    return { units, sealed, blockBytes };
  }
}
