import { createHash } from 'node:crypto';

/** Bytes before the first unit of an object, and after its contents table. */
export const HEADER_BYTES = 64;
export const FOOTER_BYTES = 64;

/** What a binary object holds: blocks of files, pages of block maps, pages of entries, or an exported log. */
export type ObjectKind = 'pack' | 'map' | 'tree' | 'log';

export const KIND_CODE: Readonly<Record<ObjectKind, number>> = { pack: 1, map: 2, tree: 3, log: 4 };

/** Everything the header of an object says, which is also what every unit in it is bound to. */
export interface ObjectIdentity {
  readonly kind: ObjectKind;
  readonly number: number;
  /** 32 hex digits. */
  readonly volume: string;
  /** 32 hex digits: repository and collection of first writing. */
  readonly origin: string;
  /** 16 hex digits; absent when not encrypted. */
  readonly key?: string;
}

const MAGIC = 'CATENAv1';

/** Names repository and collection in every object, so that objects of another one are noticed. */
export function originOf(repository: string, collection: string): string {
  return createHash('sha256').update(`${repository}\0${collection}`).digest('hex').slice(0, 32);
}

/** The 64 bytes an object begins with. A reader computes them from what the manifest says and compares. */
export function encodeHeader(identity: ObjectIdentity): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, 'latin1');
  header[8] = KIND_CODE[identity.kind];
  header[9] = identity.key === undefined ? 0 : 1;
  header.writeUInt32LE(identity.number, 12);
  if (identity.key !== undefined) header.write(identity.key, 16, 'hex');
  header.write(identity.origin, 24, 'hex');
  header.write(identity.volume, 40, 'hex');
  return header;
}

/** What a header says of itself; `undefined` when it is none. For leftovers, whose manifest was never written. */
export function decodeHeader(header: Uint8Array): ObjectIdentity | undefined {
  const bytes = Buffer.from(header);
  if (bytes.length !== HEADER_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC) return undefined;
  const kind = (Object.keys(KIND_CODE) as ObjectKind[]).find((name) => KIND_CODE[name] === bytes[8]);
  if (kind === undefined) return undefined;
  const identity: ObjectIdentity = {
    kind,
    number: bytes.readUInt32LE(12),
    volume: bytes.toString('hex', 40, 56),
    origin: bytes.toString('hex', 24, 40),
    ...(bytes[9] === 1 ? { key: bytes.toString('hex', 16, 24) } : {}),
  };
  return encodeHeader(identity).equals(bytes) ? identity : undefined;
}
