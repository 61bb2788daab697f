import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { MalformedBytesError } from '../codec/byte-reader.ts';

/** No unit is larger than this before compression, so that a reader can refuse what would fill its memory. */
export const MAX_UNIT_BYTES = 8 * 1024 * 1024;

const RAW = 0;
const ZSTD = 1;
const compressAsync = promisify(zstdCompress);
const decompressAsync = promisify(zstdDecompress);

/** A unit before sealing: one byte that names the method, then the data. */
export function rawUnit(plain: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([RAW]), plain]);
}

/** Compresses on another thread; keeps the data as it is when compression saves less than a thirty-second part. */
export async function compressUnit(plain: Uint8Array, level: number): Promise<Buffer> {
  const compressed = await compressAsync(plain, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: plain.length,
  });
  if (compressed.length > plain.length - (plain.length >>> 5)) return rawUnit(plain);
  return Buffer.concat([Buffer.from([ZSTD]), compressed]);
}

/** @throws MalformedBytesError */
export async function decodeUnit(unit: Uint8Array): Promise<Buffer> {
  const body = Buffer.from(unit.buffer, unit.byteOffset + 1, Math.max(0, unit.byteLength - 1));
  if (unit[0] === RAW) return body;
  if (unit[0] !== ZSTD) throw new MalformedBytesError(`unknown compression ${unit[0] ?? 'of nothing'}`);
  try {
    return await decompressAsync(body, { maxOutputLength: MAX_UNIT_BYTES });
  } catch (error) {
    throw new MalformedBytesError(`does not decompress: ${error instanceof Error ? error.message : error}`);
  }
}
