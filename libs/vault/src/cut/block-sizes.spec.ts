import { describe, expect, it } from '@jest/globals';
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { newCollectionKey } from '../key/data-key.ts';
import type { CutMethod } from '../port/entry.ts';
import { seededBytes } from '../testing/index.ts';
import { blockSizes } from './block-sizes.ts';
import { chooseCut } from './choose-cut.ts';
import { gearTable } from './gear-table.ts';

const gear = gearTable(newCollectionKey());
const fixed: CutMethod = { kind: 'fixed', blockSize: 64 };
const byContent: CutMethod = { kind: 'contentDefined', averageSize: 256 };

/** Blocks of bytes that arrive in chunks of the given sizes, over and over. */
function cut(method: CutMethod, bytes: Uint8Array, chunkSizes: readonly number[], table = gear): Buffer[] {
  const blocks: Buffer[] = [];
  for (let start = 0, end = 0, i = 0; end < bytes.length; i++) {
    end += chunkSizes[i % chunkSizes.length]!;
    for (const size of blockSizes(bytes.subarray(start, end), method, table, end >= bytes.length)) {
      blocks.push(Buffer.from(bytes.subarray(start, start + size)));
      start += size;
    }
  }
  return blocks;
}

/** One text for a list of blocks: comparing it is faster than comparing them. */
const hashes = (blocks: readonly Buffer[]) => blocks.map((block) => hash('sha256', block)).join();

const content = fc
  .tuple(fc.integer({ min: 0, max: 20_000 }), fc.nat(1000))
  .map(([n, seed]) => seededBytes(n, seed));
const chunks = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 5 });

describe.each([
  ['fixed', fixed],
  ['content-defined', byContent],
] as const)('%s cutting', (_, method) => {
  it('loses and adds nothing', () => {
    fc.assert(
      fc.property(content, chunks, (bytes, sizes) => {
        expect(Buffer.concat(cut(method, bytes, sizes)).equals(bytes)).toBe(true);
      }),
    );
  });

  it('does not depend on how the bytes arrive', () => {
    fc.assert(
      fc.property(content, chunks, (bytes, sizes) => {
        const whole = cut(method, bytes, [bytes.length + 1]);
        expect(hashes(cut(method, bytes, sizes))).toBe(hashes(whole));
      }),
    );
  });
});

describe('fixed cutting', () => {
  it('makes blocks of one size, the last may be shorter', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const blocks = cut(fixed, bytes, [999]);
        expect(blocks.slice(0, -1).every((block) => block.length === 64)).toBe(true);
        expect(blocks.every((block) => block.length > 0 && block.length <= 64)).toBe(true);
      }),
    );
  });
});

describe('content-defined cutting', () => {
  it('keeps blocks between a quarter and four times the average', () => {
    const blocks = cut(byContent, seededBytes(500_000), [7777]);
    const sizes = blocks.slice(0, -1).map((block) => block.length);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(64);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(mean).toBeGreaterThan(180);
    expect(mean).toBeLessThan(400);
  });

  it('finds the old blocks again behind an insertion', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20_000 }),
        fc.uint8Array({ minLength: 1, maxLength: 50 }),
        (at, inserted) => {
          const before = seededBytes(40_000, 7);
          const after = Buffer.concat([before.subarray(0, at), inserted, before.subarray(at)]);
          const known = new Set(cut(byContent, before, [4096]).map((block) => hash('sha256', block)));
          const fresh = cut(byContent, after, [4096]).filter((block) => !known.has(hash('sha256', block)));
          expect(fresh.reduce((sum, block) => sum + block.length, 0)).toBeLessThan(8 * 1024);
        },
      ),
    );
  });

  it('cuts elsewhere under another key', () => {
    const other = gearTable(newCollectionKey());
    const bytes = seededBytes(100_000);
    const sizes = (table: Uint32Array) => cut(byContent, bytes, [4096], table).map((block) => block.length);
    expect(sizes(gear)).not.toEqual(sizes(other));
  });
});

describe('the choice of a cut', () => {
  const at = (path: string, size: number) => chooseCut({ path: Buffer.from(path), size: BigInt(size) }).kind;
  it.each([
    ['base/16384/2619', 10_000_000, 'fixed'],
    ['disk.img', 10_000_000, 'fixed'],
    ['app.log', 10_000_000, 'fixed'],
    ['dump.SQL', 10_000_000, 'contentDefined'],
    ['dump.sql', 10_000, 'fixed'],
    ['.sql', 10_000_000, 'fixed'],
    ['folder.sql/data', 10_000_000, 'fixed'],
  ])('%s of %d bytes is cut %s', (path, size, kind) => expect(at(path, size)).toBe(kind));
});
