import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { headerLength, pagesOf, readIncrementalHeader, targetOfIncremental } from './incremental-file.ts';
import { isDamagedPage, PAGE_BYTES, pageChecksum, storedChecksum } from './page-checksum.ts';
import { relationFile } from './relation-file.ts';
import { showingPages } from './whole-pages.ts';

function pageAt(block: number, lsn = 7n): Buffer {
  const page = Buffer.alloc(PAGE_BYTES, 0x5a);
  page.writeUInt32LE(Number(lsn >> 32n), 0);
  page.writeUInt32LE(Number(lsn & 0xffffffffn), 4);
  page.writeUInt16LE(pageChecksum(page, block), 8);
  return page;
}

describe('page checksums', () => {
  it('do not cover their own field, notice each flipped bit, and a page at a wrong place', () => {
    const page = pageAt(11);
    expect(pageChecksum(page, 11)).toBe(storedChecksum(page));
    expect(isDamagedPage(page, 11, 100n)).toBe(false);
    fc.assert(
      fc.property(fc.integer({ min: 16 * 8, max: PAGE_BYTES * 8 - 1 }), (bit) => {
        const flipped = Buffer.from(page);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(isDamagedPage(flipped, 11, 100n)).toBe(true);
      }),
      { numRuns: 200 },
    );
    expect(isDamagedPage(page, 12, 100n)).toBe(true);
  });

  it('say nothing of pages that were never used, and of those written since the backup began', () => {
    expect(isDamagedPage(Buffer.alloc(PAGE_BYTES), 3, 100n)).toBe(false);
    const newer = pageAt(3, 101n);
    newer[4000] = 1;
    expect(isDamagedPage(newer, 3, 100n)).toBe(false);
    expect(isDamagedPage(newer, 3, 101n)).toBe(true);
  });

  it('are looked at whatever pieces a file comes in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 12 }),
        async (sizes) => {
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const whole = Buffer.from(
            Buffer.alloc(total).map((_, index) => Math.floor(index / PAGE_BYTES) + 1),
          );
          const seen: [number, number][] = [];
          const pieces = async function* () {
            let at = 0;
            for (const size of sizes) yield await Promise.resolve(whole.subarray(at, (at += size)));
          };
          const passed: Buffer[] = [];
          const show = (pages: Buffer, first: number) => {
            for (let at = 0; at < pages.length; at += PAGE_BYTES)
              seen.push([first + at / PAGE_BYTES, pages[at] ?? 0]);
          };
          for await (const piece of showingPages(pieces(), show)) passed.push(piece);
          expect(Buffer.concat(passed).equals(whole)).toBe(true);
          const pages = Math.floor(total / PAGE_BYTES);
          expect(seen).toEqual(Array.from({ length: pages }, (_, page) => [page, (page + 1) & 0xff]));
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('files of relations', () => {
  it.each([
    ['base/5/16384', { relation: 'base/5/16384', segment: 0 }],
    ['base/5/16384.2', { relation: 'base/5/16384', segment: 2 }],
    ['base/5/16384_fsm', { relation: 'base/5/16384_fsm', segment: 0 }],
    ['global/1262_vm', { relation: 'global/1262_vm', segment: 0 }],
    [
      'pg_tblspc/16400/PG_18_202506291/5/16401.1',
      { relation: 'pg_tblspc/16400/PG_18_202506291/5/16401', segment: 1 },
    ],
    ['global/pg_control', undefined],
    ['base/5/pg_filenode.map', undefined],
    ['pg_wal/000000010000000000000001', undefined],
    ['pg_xact/0000', undefined],
  ])('%s', (path, expected) => {
    expect(relationFile(path)).toEqual(expected);
  });
});

describe('incremental files', () => {
  const fileOf = (truncation: number, blocks: number[]) => {
    const fixed = Buffer.alloc(12 + blocks.length * 4);
    fixed.writeUInt32LE(0xd3ae1f0d, 0);
    fixed.writeUInt32LE(blocks.length, 4);
    fixed.writeUInt32LE(truncation, 8);
    blocks.forEach((block, index) => fixed.writeUInt32LE(block, 12 + index * 4));
    const length = headerLength(fixed, 'it');
    return {
      header: Buffer.concat([fixed, Buffer.alloc(length - fixed.length)]),
      size: length + blocks.length * PAGE_BYTES,
    };
  };

  it.each([
    { truncation: 10, blocks: [], bytes: 12, pages: 10 },
    { truncation: 0, blocks: [], bytes: 12, pages: 0 },
    { truncation: 5, blocks: [0, 3], bytes: 8192 * 3, pages: 5 },
    { truncation: 2, blocks: [1, 7], bytes: 8192 * 3, pages: 8 },
  ])('of $truncation pages with $blocks', ({ truncation, blocks, bytes, pages }) => {
    const { header, size } = fileOf(truncation, blocks);
    expect(size).toBe(bytes);
    const read = readIncrementalHeader(header, size, 'it');
    expect([...read.blocks]).toEqual(blocks);
    expect(pagesOf(read)).toBe(pages);
  });

  it('are refused when they are none, or not as long as they say', () => {
    expect(() => headerLength(Buffer.alloc(12), 'base/1/INCREMENTAL.2')).toThrow('INCREMENTAL.2');
    const { header, size } = fileOf(5, [0, 3]);
    expect(() => readIncrementalHeader(header, size + 1, 'it')).toThrow('size');
    const { header: unordered } = fileOf(5, [3, 0]);
    expect(() => readIncrementalHeader(unordered, size, 'it')).toThrow('order');
  });

  it('are of the file behind the prefix', () => {
    expect(targetOfIncremental('base/5/INCREMENTAL.16384.1')).toBe('base/5/16384.1');
    expect(targetOfIncremental('base/5/16384')).toBeUndefined();
  });
});
