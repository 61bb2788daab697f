import { createCipheriv } from 'node:crypto';

/** Bytes without pattern, the same for the same seed. */
export function seededBytes(length: number, seed = 1): Buffer {
  const key = Buffer.alloc(32);
  key.writeUInt32LE(seed);
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}
