/** The headers of the tar archives a PostgreSQL server sends: ustar, with files, folders and links only. */

export const TAR_BLOCK = 512;

export interface TarEntry {
  /** Without a leading `./` and a trailing `/`; empty for the root. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'symlink';
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Of symbolic links. */
  readonly linkTarget: string;
}

const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

/** Undefined for a block of zeros, which ends an archive. Throws when the block is no header. */
export function readTarHeader(block: Buffer): TarEntry | undefined {
  if (block[0] === 0 && block.every((byte) => byte === 0)) return undefined;
  const sum = numberAt(block, CHECKSUM_AT, CHECKSUM_BYTES);
  if (sum !== checksumOf(block)) throw new Error('a tar header of the base backup has a wrong checksum');
  const prefix = textAt(block, 345, 155);
  const name = textAt(block, 0, 100);
  return {
    name: normalised(prefix === '' ? name : `${prefix}/${name}`),
    kind: kindOf(block[156]),
    size: numberAt(block, 124, 12),
    mode: numberAt(block, 100, 8) & 0o7777,
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    mtime: numberAt(block, 136, 12),
    linkTarget: textAt(block, 157, 100),
    user: textAt(block, 265, 32),
    group: textAt(block, 297, 32),
  };
}

/** Bytes behind a file's content up to the next block. */
export function paddingAfter(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
}

function checksumOf(block: Buffer): number {
  let sum = 0;
  for (let at = 0; at < TAR_BLOCK; at++) {
    const isChecksum = at >= CHECKSUM_AT && at < CHECKSUM_AT + CHECKSUM_BYTES;
    sum += isChecksum ? 0x20 : (block[at] ?? 0);
  }
  return sum;
}

function kindOf(flag: number | undefined): TarEntry['kind'] {
  switch (flag) {
    case 0x30:
    case 0:
      return 'file';
    case 0x32:
      return 'symlink';
    case 0x35:
      return 'folder';
    default:
      throw new Error(`the base backup holds a tar entry of an unknown kind (${flag ?? 'none'})`);
  }
}

/** Octal text, or for what does not fit (files above 8 GiB) a big-endian number behind a set high bit. */
function numberAt(block: Buffer, at: number, length: number): number {
  if (((block[at] ?? 0) & 0x80) !== 0) {
    let value = BigInt((block[at] ?? 0) & 0x7f);
    for (let next = at + 1; next < at + length; next++) value = (value << 8n) | BigInt(block[next] ?? 0);
    return Number(value);
  }
  const text = textAt(block, at, length).trim();
  const value = text === '' ? 0 : Number.parseInt(text, 8);
  if (Number.isNaN(value))
    throw new Error('a tar header of the base backup holds no number where one must be');
  return value;
}

function textAt(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('utf8', at, end === -1 || end > at + length ? at + length : end);
}

function normalised(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
