import { describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { seededBytes } from '../../testing/index.ts';
import { BlockIdentities } from './block-identity.ts';

describe('block identities', () => {
  it('are HMAC-SHA-256 cut to 16 bytes, wherever the block lies, and leave the bytes as they were', () => {
    const key = seededBytes(32, 1);
    const bytes = Buffer.from(seededBytes(30_000, 2));
    const before = Buffer.from(bytes);
    const identities = new BlockIdentities(key);
    for (const [start, end] of [
      [0, 8192],
      [63, 64],
      [64, 8256],
      [100, 101],
      [8192, 16384],
      [29_999, 30_000],
    ] as const) {
      const ids = new Uint8Array(48);
      identities.write(bytes, start, end, ids, 16);
      const expected = createHmac('sha256', key).update(before.subarray(start, end)).digest().subarray(0, 16);
      expect(Buffer.from(ids.subarray(16, 32)).equals(expected)).toBe(true);
    }
    expect(bytes.equals(before)).toBe(true);
  });
});
