import { createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** Bytes of every secret key in a repository. */
export const KEY_BYTES = 32;
/** Bytes of a key's id. */
export const KEY_ID_BYTES = 8;

/** HKDF-SHA-256; `info` says what the derived key is for, so that no two uses share one. */
export function deriveKey(secret: Uint8Array, salt: Uint8Array, info: string, length = KEY_BYTES): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, `catena/1 ${info}`, length));
}

/** A secret of a collection with the id under which objects and keyrings name it. */
export interface CollectionKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** The id is derived from the key, so that a key that turns up again says which one it is. */
export function collectionKey(secret: Uint8Array): CollectionKey {
  return { id: deriveKey(secret, Buffer.alloc(0), 'key id', KEY_ID_BYTES).toString('hex'), secret };
}

export function newCollectionKey(): CollectionKey {
  return collectionKey(randomBytes(KEY_BYTES));
}

/** What a collection does not encrypt still needs for its block identities; public, but the same for ever. */
export function publicIdentityOf(origin: Uint8Array): CollectionKey {
  return collectionKey(deriveKey(origin, Buffer.alloc(0), 'public identity'));
}

/** Key of the block identities: HMAC-SHA-256 over a block, the first 16 bytes. */
export function blockIdentityKey(identity: CollectionKey): KeyObject {
  return createSecretKey(deriveKey(identity.secret, Buffer.alloc(0), 'block identity'));
}
