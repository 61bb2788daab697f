import { open, readFile, writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ScratchFolder, seededBytes } from '../../../testing/sample-tree.ts';
import { writeDifferences, type FileInPlace } from './write-differences.ts';

const PAGE = 8192;
const wanted = seededBytes(5 * PAGE + 100, 1);

/** What is there before; the piece that is wanted differs from it in a page here and there. */
function before(...different: number[]): Buffer {
  const bytes = Buffer.from(wanted);
  for (const page of different) bytes.writeUInt8(bytes.readUInt8(page * PAGE + 17) ^ 1, page * PAGE + 17);
  return bytes;
}

describe('rewriting a file in place', () => {
  const scratch = new ScratchFolder();
  afterAll(() => scratch.remove());

  it.each<[string, Buffer, number]>([
    ['nothing of what is right', before(), 0],
    ['one page', before(2), PAGE],
    ['pages that lie together', before(1, 2, 3), 3 * PAGE],
    ['the end, which is less than a page', before(5), 100],
    ['what is behind the end of a shorter file', before().subarray(0, 2 * PAGE + 5), 3 * PAGE + 100],
    ['all of an empty file', Buffer.alloc(0), 5 * PAGE + 100],
  ])('writes %s', async (_, there, written) => {
    const place = scratch.at('file');
    await writeFile(place, there);
    const file = await open(place, 'r+');
    expect(await writeDifferences(file, wanted, 0)).toBe(written);
    await file.close();
    expect((await readFile(place)).equals(wanted)).toBe(true);
  });

  it('writes the rest as well when the disk takes only a part at a time', async () => {
    const place = scratch.at('reluctant');
    await writeFile(place, before(0, 1, 4, 5));
    const file = await open(place, 'r+');
    const reluctant: FileInPlace = {
      read: file.read.bind(file),
      write: ((bytes: Uint8Array, offset: number, length: number, position: number) =>
        file.write(bytes, offset, Math.min(length, 1000), position)) as FileInPlace['write'],
    };
    await writeDifferences(reluctant, wanted, 0);
    await file.close();
    expect((await readFile(place)).equals(wanted)).toBe(true);
  });
});
