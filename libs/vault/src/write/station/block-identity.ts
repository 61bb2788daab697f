import { createHmac, createSecretKey, hash } from 'node:crypto';
import { BLOCK_ID_BYTES } from '../../container/contents-table.ts';

/** Bytes that SHA-256 takes in at a time, which is how long the pads of an HMAC are (RFC 2104). */
const PAD_BYTES = 64;
const HASH_BYTES = 32;

/**
 * Identities of very many blocks: HMAC-SHA-256, made of two plain hashes. An HMAC object for each block would take
 * longer to make and to free than the hashing itself.
 */
export class BlockIdentities {
  private readonly key: Parameters<typeof createHmac>[1];
  private readonly inner = Buffer.alloc(PAD_BYTES, 0x36);
  private readonly outer = Buffer.alloc(PAD_BYTES + HASH_BYTES, 0x5c);
  private readonly covered = Buffer.alloc(PAD_BYTES);

  /** @param key at most 64 bytes */
  constructor(key: Uint8Array) {
    this.key = createSecretKey(key);
    key.forEach((byte, i) => {
      this.inner[i] = byte ^ 0x36;
      this.outer[i] = byte ^ 0x5c;
    });
  }

  /** Writes the identity of the block that lies in `bytes` from `start` to `end`. */
  write(bytes: Buffer, start: number, end: number, ids: Uint8Array, at: number): void {
    if (start < PAD_BYTES) {
      const id = createHmac('sha256', this.key).update(bytes.subarray(start, end)).digest();
      ids.set(id.subarray(0, BLOCK_ID_BYTES), at);
      return;
    }
    // The pad has to come right before the block: for a moment it takes the place of what is there.
    const begin = start - PAD_BYTES;
    bytes.copy(this.covered, 0, begin, start);
    this.inner.copy(bytes, begin);
    const digest = hash('sha256', bytes.subarray(begin, end), 'binary');
    this.covered.copy(bytes, begin);
    this.outer.write(digest, PAD_BYTES, 'binary');
    const id = hash('sha256', this.outer, 'binary');
    for (let i = 0; i < BLOCK_ID_BYTES; i++) ids[at + i] = id.charCodeAt(i);
  }
}
