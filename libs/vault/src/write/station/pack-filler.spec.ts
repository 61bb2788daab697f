import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { seededBytes } from '../../testing/index.ts';
import { PackFiller, type SealedPart } from './pack-filler.ts';
import { RecentBlocks } from './recent-blocks.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** Of a pack: its last 48 bytes are the hash of what is before them, 8 zeros and 8 letters. */
const AFTER_HASH = 16;

function fillerOf(packBytes: number): PackFiller {
  const recent = RecentBlocks.memory({ take: (bytes) => new SharedArrayBuffer(bytes) });
  return new PackFiller(
    {
      volume: { id: '11'.repeat(16), origin: '22'.repeat(16) },
      identityKey: seededBytes(32, 1),
      compressionLevel: 1,
      unitBytes: 128 * KIB,
      ...{ packBytes, recent },
    },
    new RecentBlocks(recent),
  );
}

/** What tasks hand over that put one block of so many bytes into a unit each. */
function handedOver(filler: PackFiller, tasks: number, size: number): SealedPart[] {
  const parts: SealedPart[] = [];
  for (let task = 0; task < tasks; task++) {
    const { unit } = filler.plan(size, undefined);
    const bytes = Buffer.from(seededBytes(size, task));
    filler.add(unit, { bytes, start: 0, end: size }, new Uint8Array(16), 0);
    filler.closeUnit();
    parts.push(...filler.take().sealed);
  }
  filler.closePack();
  return [...parts, ...filler.take().sealed];
}

describe('what is sealed', () => {
  it('is handed over in parts that are full but for the last of a pack, however little each task brings', () => {
    const parts = handedOver(fillerOf(4 * MIB), 500, 20 * KIB);
    const content = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const memory = parts.reduce((sum, { bytes }) => sum + bytes.buffer.byteLength, 0);
    expect(content).toBeGreaterThan(500 * 20 * KIB);
    const packs = new Set(parts.map(({ pack }) => pack)).size;
    expect(packs).toBe(3);
    expect(parts.filter(({ last }) => last)).toHaveLength(packs);
    for (const { bytes, last } of parts) if (!last) expect(bytes.length).toBe(bytes.buffer.byteLength);
    expect(memory - content).toBeLessThan(packs * 1.25 * MIB);
  });

  it.each([1, 20 * KIB, 128 * KIB, 3 * MIB])(
    'makes packs whose hash is that of their bytes, in units of %d bytes',
    (size) => {
      const parts = handedOver(fillerOf(4 * MIB), 70, size);
      for (const number of new Set(parts.map(({ pack }) => pack))) {
        const pack = Buffer.concat(parts.filter(({ pack }) => pack === number).map(({ bytes }) => bytes));
        const hashAt = pack.length - AFTER_HASH - 32;
        const hash = createHash('sha256').update(pack.subarray(0, hashAt)).digest();
        expect(pack.subarray(hashAt, hashAt + 32)).toEqual(hash);
      }
    },
  );
});
