import { constants, zstdCompressSync } from 'node:zlib';
import { decodeContents } from '../container/contents-table.ts';
import { decodeFooter } from '../container/object-footer.ts';
import { decodeHeader, FOOTER_BYTES, HEADER_BYTES } from '../container/object-header.ts';
import { decodeUnitHere } from '../container/unit-codec.ts';
import { unitSeal } from '../container/unit-seal.ts';

/** One unit of an object that is not encrypted, so that anybody can seal something else in its place. */
export interface ForgeableUnit {
  readonly offset: number;
  readonly length: number;
  readonly plain: Buffer;
}

/** The units of an object of a repository that is not encrypted, its contents table last; empty for other objects. */
export function forgeableUnits(object: Uint8Array): ForgeableUnit[] {
  const identity = decodeHeader(object.subarray(0, HEADER_BYTES));
  const footer = decodeFooter(object.subarray(-FOOTER_BYTES));
  if (identity === undefined || footer === undefined) return [];
  const seal = unitSeal(identity, undefined);
  const open = (offset: number, length: number): ForgeableUnit[] => {
    const body = seal.open(object.subarray(offset, offset + length), offset);
    return body === undefined ? [] : [{ offset, length, plain: decodeUnitHere(body) }];
  };
  const table = open(footer.contentsOffset, footer.contentsLength);
  const units = decodeContents(table[0]?.plain ?? Buffer.alloc(0), footer.units);
  return [...units.flatMap(({ offset, length }) => open(offset, length)), ...table];
}

/** A zstd frame that decompresses to nothing, to make something exactly as long as what it replaces. */
function padding(bytes: number): Buffer {
  const frame = Buffer.alloc(bytes);
  frame.writeUInt32LE(0x184d2a50, 0);
  frame.writeUInt32LE(bytes - 8, 4);
  return frame;
}

/**
 * The object with other content in the place of a unit, under a seal that is right; `undefined` when the content does not fit
 * into the place.
 */
export function forged(
  object: Uint8Array,
  { offset, length }: ForgeableUnit,
  plain: Uint8Array,
): Buffer | undefined {
  const identity = decodeHeader(object.subarray(0, HEADER_BYTES));
  if (identity === undefined) return undefined;
  const seal = unitSeal(identity, undefined);
  const room = length - seal.seal([], offset).reduce((sum, part) => sum + part.length, 0) - 1;
  const level = { params: { [constants.ZSTD_c_compressionLevel]: 19 }, pledgedSrcSize: plain.length };
  const packed = zstdCompressSync(plain, level);
  const left = room - packed.length;
  if (left < 0 || (left > 0 && left < 8)) return undefined;
  const body = left === 0 ? packed : Buffer.concat([packed, padding(left)]);
  const sealed = Buffer.concat(seal.seal([Uint8Array.of(1), body], offset));
  const result = Buffer.from(object);
  sealed.copy(result, offset);
  return result;
}
