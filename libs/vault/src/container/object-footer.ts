import { FOOTER_BYTES } from './object-header.ts';

const MAGIC = 'CATENAve';

/** The last 64 bytes of an object. */
export interface ObjectFooter {
  /** Where the contents table (a sealed unit like the others) lies. */
  readonly contentsOffset: number;
  readonly contentsLength: number;
  /** Units before the contents table. */
  readonly units: number;
  /** SHA-256 of every byte of the object before this hash, so that it can be checked without a key. */
  readonly sha256: Buffer;
}

/** Bytes of the footer that the hash covers. */
export const HASHED_FOOTER_BYTES = 16;

export function encodeFooterStart(footer: Omit<ObjectFooter, 'sha256'>): Buffer {
  const bytes = Buffer.alloc(HASHED_FOOTER_BYTES);
  bytes.writeBigUInt64LE(BigInt(footer.contentsOffset), 0);
  bytes.writeUInt32LE(footer.contentsLength, 8);
  bytes.writeUInt32LE(footer.units, 12);
  return bytes;
}

export function encodeFooterEnd(sha256: Uint8Array): Buffer {
  return Buffer.concat([sha256, Buffer.alloc(8), Buffer.from(MAGIC, 'latin1')]);
}

/** `undefined` when these are not the last bytes of a whole object. */
export function decodeFooter(footer: Uint8Array): ObjectFooter | undefined {
  const bytes = Buffer.from(footer);
  if (bytes.length !== FOOTER_BYTES || bytes.toString('latin1', 56) !== MAGIC) return undefined;
  const contentsOffset = Number(bytes.readBigUInt64LE(0));
  if (!Number.isSafeInteger(contentsOffset)) return undefined;
  return {
    contentsOffset,
    contentsLength: bytes.readUInt32LE(8),
    units: bytes.readUInt32LE(12),
    sha256: bytes.subarray(16, 48),
  };
}
