import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MalformedBytesError } from '../codec/byte-reader.ts';
import type { UnitPlace } from '../container/object-series-writer.ts';
import type { CutMethod } from '../port/entry.ts';
import type { Block } from './block.ts';
import { decodeContent, encodeContent } from './content-ref.ts';
import { decodeBlocks, encodeBlocks } from './leaf-page.ts';
import type { PageRef } from './index-page.ts';
import { INDEX_FANOUT } from './index-page.ts';
import { MapReader } from './map-reader.ts';
import { MapWriter } from './map-writer.ts';

const fixed: CutMethod = { kind: 'fixed', blockSize: 8192 };
const byContent: CutMethod = { kind: 'contentDefined', averageSize: 65536 };

const place = fc.record({
  volume: fc.nat(500),
  object: fc.integer({ min: 1, max: 100_000 }),
  offset: fc.integer({ min: 64, max: 2 ** 40 }),
  length: fc.integer({ min: 17, max: 300_000 }),
});
const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));

function blocksOf(size: fc.Arbitrary<number>): fc.Arbitrary<Block[]> {
  const block: fc.Arbitrary<Block> = fc.oneof(
    fc.record({ zero: fc.constant(true as const), size }),
    fc.record({ zero: fc.constant(false as const), size, id, unit: place, start: fc.nat(130_000) }),
  );
  return fc.array(block, { minLength: 1, maxLength: 64 });
}
const bytesOf = (blocks: readonly Block[]) => blocks.reduce((sum, block) => sum + block.size, 0);

describe('a leaf page', () => {
  it('gives back its blocks', () => {
    fc.assert(
      fc.property(blocksOf(fc.constant(8192)), (blocks) => {
        expect(decodeBlocks(encodeBlocks(blocks, fixed), fixed, bytesOf(blocks))).toEqual(blocks);
      }),
    );
    fc.assert(
      fc.property(blocksOf(fc.integer({ min: 1, max: 262_144 })), (blocks) => {
        expect(decodeBlocks(encodeBlocks(blocks, byContent), byContent, bytesOf(blocks))).toEqual(blocks);
      }),
    );
  });

  it('takes little more than the identities of blocks that lie together', () => {
    const unit = { volume: 3, object: 12, offset: 123_456, length: 90_000 };
    const blocks: Block[] = Array.from({ length: 16 }, (_, i) => ({
      zero: false,
      size: 8192,
      id: Buffer.alloc(16, i),
      unit,
      start: i * 8192,
    }));
    expect(encodeBlocks(blocks, fixed).length).toBeLessThanOrEqual(16 * 16 + 12);
  });

  it('fails by name on bytes that are no page', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(1_000_000), (bytes, size) => {
        try {
          expect(bytesOf(decodeBlocks(bytes, fixed, size))).toBe(size);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError);
        }
      }),
    );
  });
});

describe('a content reference', () => {
  it('gives back what it was made of', () => {
    const holding = fc.record({
      volume: fc.nat(500),
      firstPack: fc.nat(1000),
      lastPack: fc.nat(1000),
      bytes: fc.nat(2 ** 30),
      firstMap: fc.nat(1000),
      lastMap: fc.nat(1000),
    });
    fc.assert(
      fc.property(
        place,
        fc.array(holding),
        fc.nat(4),
        fc.integer({ min: 1 }),
        (root, holdings, level, size) => {
          const layout = { kind: 'tree' as const, level, root: { place: root, bytes: size }, holdings };
          const content = { size: BigInt(size), sha256: Buffer.alloc(32, 7), cut: fixed, layout };
          expect(decodeContent(encodeContent(content))).toEqual(content);
        },
      ),
    );
  });

  it('fails by name on bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeContent(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError);
        }
      }),
    );
  });
});

/** Pages in memory, in place of a repository. */
class Pages {
  readonly written: Buffer[] = [];
  readonly append = async (page: Buffer): Promise<UnitPlace> => {
    this.written.push(page);
    return { volume: 0, object: 1, offset: this.written.length, length: page.length };
  };
  readonly read = async <T>(at: UnitPlace, decode: (page: Buffer) => T): Promise<T> =>
    decode(this.written[at.offset - 1]!);
}

const leafBlocks = (seed: number): Block[] => [
  {
    zero: false,
    size: 8192,
    id: Buffer.alloc(16, seed),
    unit: { volume: 0, object: 1, offset: 64 + seed, length: 100 },
    start: 0,
  },
];

const seedOf = ([block]: readonly Block[]) => (block === undefined || block.zero ? undefined : block.id[0]);

async function writeMap(pages: Pages, seeds: readonly number[], before?: MapReader) {
  const writer = new MapWriter(pages.append, before, () => undefined);
  for (const [i, seed] of seeds.entries()) {
    const known = await before?.leaf(i);
    const same = known !== undefined && seedOf(known.blocks) === seed;
    const ref: PageRef = same
      ? known.ref
      : { place: await pages.append(encodeBlocks(leafBlocks(seed), fixed)), bytes: 8192 };
    await writer.add(ref);
  }
  const { level, root } = await writer.finish();
  return new MapReader({ kind: 'tree', level, root, holdings: [] }, fixed, pages.read);
}

async function seedsOf(map: MapReader, from = 0): Promise<number[]> {
  const seeds: number[] = [];
  for await (const leaf of map.leaves(from)) {
    if (leaf.start % 8192 !== 0) throw new Error(`a leaf at ${leaf.start}`);
    seeds.push(seedOf(leaf.blocks)!);
  }
  return seeds;
}

describe('a map', () => {
  it.each([1, 2, INDEX_FANOUT, INDEX_FANOUT + 1, INDEX_FANOUT ** 2 + 1])(
    'of %d leaves gives them back in order, from the start, from within, and one by one',
    async (count) => {
      const seeds = Array.from({ length: count }, (_, i) => i % 251);
      const map = await writeMap(new Pages(), seeds);
      expect(await seedsOf(map)).toEqual(seeds);
      const middle = Math.floor(count / 2);
      expect(await seedsOf(map, middle * 8192)).toEqual(seeds.slice(middle));
      const last = await map.leaf(count - 1);
      expect(last?.blocks).toEqual(leafBlocks(seeds[count - 1]!));
      expect(await map.leaf(count)).toBeUndefined();
    },
  );

  it('writes only the pages on the way to what has changed', async () => {
    const pages = new Pages();
    const seeds = Array.from({ length: 5 * INDEX_FANOUT }, (_, i) => i % 251);
    const before = await writeMap(pages, seeds);
    const first = pages.written.length;
    seeds[700] = 252;
    const after = await writeMap(pages, seeds, before);
    expect(pages.written.length - first).toBe(3); // leaf, index page, root
    expect(await seedsOf(after)).toEqual(seeds);
    const same = pages.written.length;
    await writeMap(pages, seeds, after);
    expect(pages.written.length).toBe(same);
  });
});
