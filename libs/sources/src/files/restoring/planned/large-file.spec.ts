import { afterEach, expect, it } from '@jest/globals';
import { UnreadableUnitError, type PlannedPiece } from '@catena/vault/threads';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { byteStringOf, FolderHandle } from '../../../system-calls/index.ts';
import { ScratchFolder, seededBytes } from '../../../testing/sample-tree.ts';
import { BlockMemory } from './block-memory.ts';
import { LargeFile } from './large-file.ts';

const scratch = new ScratchFolder();
afterEach(() => scratch.remove());

const mebibyte = 1024 * 1024;
const page = 4096;
const name = byteStringOf(Buffer.from('film'));

function contentOf(pieces: readonly PlannedPiece[]): Buffer {
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'number' ? Buffer.alloc(piece) : piece)));
}

/** Pieces as a plan has them, a plan after another. */
async function made(folder: FolderHandle, plans: readonly (readonly PlannedPiece[])[]): Promise<boolean> {
  const content = contentOf(plans.flat());
  const file = new LargeFile(folder, name, content.length, new BlockMemory());
  try {
    for (const pieces of plans) await file.write(pieces);
    await file.written();
    return file.holds(content.length, createHash('sha256').update(content).digest());
  } finally {
    await file.stop();
    file.close(false);
  }
}

const scattered = Array.from({ length: 300 }, (_, i) =>
  i % 3 === 0 ? seededBytes(page, i) : Buffer.alloc(page),
);
const cases: readonly (readonly [string, readonly (readonly PlannedPiece[])[]])[] = [
  ['that ends with a block', [[seededBytes(2 * mebibyte, 1)]]],
  ['that ends within a page', [[seededBytes(mebibyte + 5, 2)], [seededBytes(mebibyte + 7, 3)]]],
  ['of less than a page', [[seededBytes(7, 4)]]],
  ['in pieces of any length', [Array.from({ length: 90 }, (_, i) => seededBytes(i * 700 + 1, i))]],
  [
    'with zeros that begin and end anywhere',
    [
      [seededBytes(99, 5), 3 * mebibyte],
      [seededBytes(6, 6), 71],
    ],
  ],
  ['whose pages are scattered among zeros', [scattered]],
  ['of nothing', []],
];

it.each(cases)('makes content %s', async (_, plans) => {
  fs.mkdirSync(scratch.at('staged'), { recursive: true });
  using folder = FolderHandle.open(Buffer.from(scratch.at('staged')));
  expect(await made(folder, plans)).toBe(true);
  const wanted = contentOf(plans.flat());
  expect(fs.readFileSync(scratch.at('staged/film')).equals(wanted)).toBe(true);
  expect(scratch.openFiles()).toEqual([scratch.at('staged')]);
});

it('takes no more content than the file has', async () => {
  fs.mkdirSync(scratch.at('staged'), { recursive: true });
  using folder = FolderHandle.open(Buffer.from(scratch.at('staged')));
  const file = new LargeFile(folder, name, mebibyte, new BlockMemory());
  await file.write([seededBytes(mebibyte, 1)]);
  await expect(file.write([Buffer.alloc(1)])).rejects.toThrow(UnreadableUnitError);
  await file.stop();
  file.remove();
  expect(fs.readdirSync(scratch.at('staged'))).toEqual([]);
});

it('uses the memory of a file for the next one', async () => {
  const memory = new BlockMemory();
  fs.mkdirSync(scratch.at('staged'), { recursive: true });
  using folder = FolderHandle.open(Buffer.from(scratch.at('staged')));
  const file = new LargeFile(folder, name, 3 * mebibyte, memory);
  await file.write([seededBytes(3 * mebibyte - 1, 1)]);
  await file.stop();
  file.remove();
  const free = [memory.take(), memory.take()];
  for (const block of free) memory.giveBack(block);
  const next = new LargeFile(folder, name, mebibyte, memory);
  await next.write([seededBytes(mebibyte, 2)]);
  await next.written();
  await next.stop();
  next.close(false);
  expect(free).toContain(memory.take());
  expect(free).toContain(memory.take());
});
