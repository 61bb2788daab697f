import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import { MalformedBytesError } from '../codec/byte-reader.ts';

/** No unit is larger than this before compression, so that a reader can refuse what would fill its memory. */
export const MAX_UNIT_BYTES = 8 * 1024 * 1024;

const RAW = 0;
const ZSTD = 1;
const compressAsync = promisify(zstdCompress);
const decompressAsync = promisify(zstdDecompress);

/** A unit before sealing: one byte that names the method, and the data that follows it. */
export interface UnitBody {
  readonly method: Uint8Array;
  readonly data: Uint8Array;
}

/** The byte before data that is as it was. */
export const RAW_METHOD = Uint8Array.of(RAW);
/** The byte before a zstd frame. */
export const ZSTD_METHOD = Uint8Array.of(ZSTD);

export function rawUnit(plain: Uint8Array): UnitBody {
  return { method: RAW_METHOD, data: plain };
}

/** Whether compression saves at least a thirty-second part; else the data is kept as it is. */
export function savesEnough(plain: number, compressed: number): boolean {
  return compressed <= plain - (plain >>> 5);
}

function compression(plain: Uint8Array, level: number) {
  return {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: plain.length,
    // Room for the worst case, so that the result comes in one piece.
    chunkSize: Math.max(1024, plain.length + (plain.length >>> 7) + 512),
  };
}

function compressedUnit(plain: Uint8Array, compressed: Uint8Array): UnitBody {
  if (!savesEnough(plain.length, compressed.length)) return rawUnit(plain);
  return { method: ZSTD_METHOD, data: compressed };
}

/** Compresses on another thread. */
export async function compressUnit(plain: Uint8Array, level: number): Promise<UnitBody> {
  return compressedUnit(plain, await compressAsync(plain, compression(plain, level)));
}

/** As `compressUnit`, on this thread: what is small is done before another would have begun. */
export function compressUnitHere(plain: Uint8Array, level: number): UnitBody {
  return compressedUnit(plain, zstdCompressSync(plain, compression(plain, level)));
}

/** What a unit holds, when it need not be decompressed. @throws MalformedBytesError */
function rawBody(unit: Uint8Array): { readonly body: Buffer; readonly isRaw: boolean } {
  const body = Buffer.from(unit.buffer, unit.byteOffset + 1, Math.max(0, unit.byteLength - 1));
  if (unit[0] !== RAW && unit[0] !== ZSTD)
    throw new MalformedBytesError(`unknown compression ${unit[0] ?? 'of nothing'}`);
  return { body, isRaw: unit[0] === RAW };
}

/** Decompresses on another thread of the system. @throws MalformedBytesError */
export async function decodeUnit(unit: Uint8Array): Promise<Buffer> {
  const { body, isRaw } = rawBody(unit);
  if (isRaw) return body;
  try {
    return await decompressAsync(body, decompression(body));
  } catch (error) {
    throw doesNotDecompress(error);
  }
}

/** As `decodeUnit`, on this thread. @throws MalformedBytesError */
export function decodeUnitHere(unit: Uint8Array): Buffer {
  const { body, isRaw } = rawBody(unit);
  if (isRaw) return body;
  try {
    return zstdDecompressSync(body, decompression(body));
  } catch (error) {
    throw doesNotDecompress(error);
  }
}

function doesNotDecompress(error: unknown): MalformedBytesError {
  return new MalformedBytesError(`does not decompress: ${String(error)}`);
}

/** The output comes in one piece when its buffer is a little larger than what is announced. */
function decompression(frame: Buffer): { maxOutputLength: number; chunkSize: number } {
  return { maxOutputLength: MAX_UNIT_BYTES, chunkSize: announcedBytes(frame) + 64 };
}

/**
 * How much the header of a zstd frame (RFC 8878, section 3.1.1) says it holds, so that it comes out in one piece. Only a
 * hint: what is larger than a unit may be is refused while it is decompressed, whatever the header says.
 */
function announcedBytes(frame: Buffer): number {
  const SMALLEST = 1024;
  const descriptor = frame[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const flag = descriptor >>> 6;
  const at = 5 + (singleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  const width = flag === 0 ? (singleSegment ? 1 : 0) : 1 << flag;
  if (width === 0 || at + width > frame.length) return SMALLEST;
  const size =
    width === 8 ? Number(frame.readBigUInt64LE(at)) : frame.readUIntLE(at, width) + (width === 2 ? 256 : 0);
  return Math.min(Math.max(size, SMALLEST), MAX_UNIT_BYTES);
}
