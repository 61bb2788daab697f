import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MalformedBytesError } from '../codec/byte-reader.ts';
import { comparePaths } from '../port/path-order.ts';
import type { EncodableEntry } from './entry-codec.ts';
import { decodeEntryPage, EntryPageWriter } from './entry-page.ts';

const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((value) => Buffer.from(value));
const time = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const entry: fc.Arbitrary<EncodableEntry> = fc.record(
  {
    path: bytes(40),
    kind: fc.constantFrom('file', 'folder', 'symlink', 'fifo', 'socket', 'blockDevice', 'characterDevice'),
    mode: fc.nat(0o7777),
    uid: fc.nat(2 ** 32 - 1),
    gid: fc.nat(2 ** 32 - 1),
    mtime: time,
    ctime: time,
    readAt: time,
    inode: u64,
    device: u64,
    size: u64,
    user: fc.string(),
    group: fc.string(),
    linkTarget: bytes(100),
    hardLink: bytes(100),
    deviceNumber: u64,
    xattrs: fc.array(fc.tuple(bytes(20), bytes(200)), { maxLength: 3 }),
  },
  {
    requiredKeys: [
      'path',
      'kind',
      'mode',
      'uid',
      'gid',
      'mtime',
      'ctime',
      'readAt',
      'inode',
      'device',
      'size',
    ],
  },
);

describe('the canonical order', () => {
  it('is an order in which a folder comes right before its content', () => {
    fc.assert(
      fc.property(bytes(8), bytes(8), bytes(8), (a, b, c) => {
        expect(Math.sign(comparePaths(a, b))).toBe(-Math.sign(comparePaths(b, a)) + 0);
        if (comparePaths(a, b) <= 0 && comparePaths(b, c) <= 0)
          expect(comparePaths(a, c)).toBeLessThanOrEqual(0);
      }),
    );
    const sorted = ['', 'a', 'a/b', 'a/b/c', 'a/b!', 'a!', 'a.txt', 'b'].map((path) => Buffer.from(path));
    expect([...sorted].reverse().sort(comparePaths)).toEqual(sorted);
  });
});

describe('a page of entries', () => {
  it('gives back every field, for names of any bytes', () => {
    const entries = fc.uniqueArray(entry, {
      maxLength: 30,
      selector: (candidate) => Buffer.from(candidate.path).toString('hex'),
    });
    fc.assert(
      fc.property(entries, (unsorted) => {
        const sorted = [...unsorted].sort((a, b) => comparePaths(a.path, b.path));
        const page = new EntryPageWriter();
        for (const item of sorted) page.add(item);
        expect(decodeEntryPage(page.encode(), 'b')).toEqual(sorted);
      }),
    );
  });

  it('fails by name on bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (page) => {
        try {
          decodeEntryPage(page, 'b');
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError);
        }
      }),
    );
  });
});
