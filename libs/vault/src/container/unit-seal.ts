import { createCipheriv, createDecipheriv, createHash, createSecretKey } from 'node:crypto';
import { deriveKey } from '../key/data-key.ts';
import type { ObjectIdentity } from './object-header.ts';
import { encodeHeader } from './object-header.ts';

/** Bytes a sealed unit is longer than what was sealed. */
export const SEAL_BYTES = 16;

/**
 * Seals the units of one object. Associated data is the object's header and the unit's offset in it, so a unit opens
 * only in the object and at the place it was sealed for.
 */
export interface UnitSeal {
  /** Seals the parts as one; what comes out are the parts of the sealed unit. */
  seal(parts: readonly Uint8Array[], offset: number): Buffer[];
  /** `undefined` when the bytes are not what was sealed for this place. */
  open(sealed: Uint8Array, offset: number): Buffer | undefined;
}

function place(offset: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(offset), 4);
  return bytes;
}

/**
 * AES-256-GCM. The key belongs to this object alone (derived from the volume's random id, the kind and the number)
 * and an offset is written once, so the offset is a nonce that cannot come twice.
 */
function encrypted(identity: ObjectIdentity, dataKey: Uint8Array): UnitSeal {
  const header = encodeHeader(identity);
  const key = createSecretKey(deriveKey(dataKey, header, 'object'));
  return {
    seal(parts, offset) {
      const nonce = place(offset);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.concat([header, nonce]));
      const sealed = parts.map((part) => cipher.update(part));
      cipher.final();
      return [...sealed, cipher.getAuthTag()];
    },
    open(sealed, offset) {
      if (sealed.length < SEAL_BYTES) return undefined;
      const nonce = place(offset);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce);
      decipher.setAAD(Buffer.concat([header, nonce]));
      decipher.setAuthTag(sealed.subarray(sealed.length - SEAL_BYTES));
      const plain = decipher.update(sealed.subarray(0, sealed.length - SEAL_BYTES));
      try {
        decipher.final();
      } catch {
        // The one failure `final` has: the tag does not fit.
        return undefined;
      }
      return plain;
    },
  };
}

/** Not encrypted: the plain bytes and the first 16 bytes of SHA-256 over header, offset and plain bytes. */
function checked(identity: ObjectIdentity): UnitSeal {
  const header = encodeHeader(identity);
  const sum = (parts: readonly Uint8Array[], offset: number) => {
    const hash = createHash('sha256').update(header).update(place(offset));
    for (const part of parts) hash.update(part);
    return hash.digest().subarray(0, SEAL_BYTES);
  };
  return {
    seal: (parts, offset) => [...parts.map((part) => Buffer.from(part)), sum(parts, offset)],
    open(sealed, offset) {
      if (sealed.length < SEAL_BYTES) return undefined;
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const plain = bytes.subarray(0, bytes.length - SEAL_BYTES);
      return sum([plain], offset).equals(bytes.subarray(plain.length)) ? plain : undefined;
    },
  };
}

export function unitSeal(identity: ObjectIdentity, dataKey: Uint8Array | undefined): UnitSeal {
  return dataKey === undefined ? checked(identity) : encrypted(identity, dataKey);
}
