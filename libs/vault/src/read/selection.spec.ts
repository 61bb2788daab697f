import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BackupReader, Entry, EntrySelection, Repository } from '../index.ts';
import {
  bytesOfReadable,
  comparePaths,
  FsStore,
  globOfPath,
  initialiseRepository,
  readableBytes,
} from '../index.ts';
import { fileEntry, planOf, seededBytes, temporaryFolder } from '../testing/index.ts';
import { globMatcher } from './glob.ts';

/** A store that counts the bytes that are read of pages of entries. */
class CountingStore extends FsStore {
  bytes = 0;
  override read(name: string, offset: number, length: number): Promise<Uint8Array> {
    if (name.includes('/tree-')) this.bytes += length;
    return super.read(name, offset, length);
  }
}

const text = (path: Uint8Array) => Buffer.from(path).toString('latin1');

/** Folders in folders, names that begin alike, names with what globs are made of, names of any bytes. */
function entries(): Entry[] {
  const folders = [
    '',
    'a',
    'a b',
    'a.b',
    'ab',
    'a/b',
    'a/b c',
    'a[1]',
    'ü',
    'deep',
    'deep/er',
    'deep/er/still',
  ];
  const found: Entry[] = folders.map((name) => ({ ...fileEntry(name, 0), kind: 'folder' }));
  for (let i = 0; i < 6_000; i++) {
    const folder = folders[i % folders.length] ?? '';
    found.push(
      fileEntry(`${folder === '' ? '' : `${folder}/`}${i % 7 === 0 ? 'report' : 'f'} ${i}`, 0, 1 + i),
    );
  }
  for (const name of ['a[1]/what?', 'a[1]/*', 'a[1]/back\\slash', 'a/new\nline'])
    found.push(fileEntry(name, 0));
  found.push(fileEntry(Buffer.from([0x61, 0x2f, 0xff, 0xfe]), 0));
  return found.sort((x, y) => comparePaths(x.path, y.path));
}

describe('what is selected of a backup', () => {
  const all = entries();
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let repository: Repository;
  let reader: BackupReader;
  let store: CountingStore;

  beforeAll(async () => {
    folder = await temporaryFolder();
    store = new CountingStore(folder.path);
    repository = await initialiseRepository(store, { installation: 'here' });
    const collection = repository.collection('c');
    const writer = await collection.beginBackup(planOf('full'));
    for (const entry of all)
      await writer.add(
        entry,
        entry.kind === 'file' ? { read: { sizeHint: 0n, async *open() {} } } : undefined,
      );
    await writer.finish();
    reader = await collection.openBackup('full');
  });
  afterAll(async () => {
    await reader.close();
    await repository.close();
    await folder.remove();
  });

  async function selected(selection: EntrySelection): Promise<string[]> {
    const paths: string[] = [];
    for await (const { path } of reader.entries(selection)) paths.push(text(path));
    return paths;
  }
  const filtered = (isWanted: (path: Uint8Array) => boolean) =>
    all.filter(({ path }) => isWanted(path)).map(({ path }) => text(path));
  async function bytesRead(action: () => Promise<unknown>): Promise<number> {
    const before = store.bytes;
    await action();
    return store.bytes - before;
  }

  it.each([
    [['deep/**']],
    [['a']],
    [['a/f 1*', 'deep/er/still', 'a/b']],
    [['**/report 7']],
    [['a*/report*']],
    [['a[[]1]/*']],
    [['a\\[1]/what\\?', 'a\\[1\\]/\\*']],
    [['nothing/at all']],
    [['/a.b/']],
    [['ü/f*', 'a/\\xff\\xfe']],
  ])('by globs %j is what a look at every entry finds', async (globs) => {
    expect(await selected({ globs })).toEqual(filtered(globMatcher(globs)));
  });

  it('by any part of a path is what a look at every entry finds', async () => {
    const anyPath = fc.integer({ min: 0, max: all.length - 1 }).map((i) => all[i]!.path);
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyPath, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (paths, cut) => {
          const globs = paths.map((path) => (cut ? `${globOfPath(path.subarray(0, 3))}*` : globOfPath(path)));
          expect(await selected({ globs })).toEqual(filtered(globMatcher(globs)));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('in a folder is what is directly in it', async () => {
    for (const folderPath of ['', 'a', 'a/b', 'deep', 'deep/er', 'deep/er/still', 'f 1', 'none']) {
      const beginning = folderPath === '' ? '' : `${Buffer.from(folderPath).toString('latin1')}/`;
      const isDirect = (path: string) =>
        path !== '' && path.startsWith(beginning) && !path.slice(beginning.length).includes('/');
      expect(await selected({ directlyIn: Buffer.from(folderPath) })).toEqual(
        filtered((path) => isDirect(text(path))),
      );
    }
  });

  it('is found without reading through the rest', async () => {
    const everything = await bytesRead(() => selected({}));
    // One page of entries, the one after it, which is read meanwhile, and index pages that were not read yet.
    expect(await bytesRead(() => reader.find(Buffer.from('deep/er/f 10')))).toBeLessThan(everything / 10);
    expect(await bytesRead(() => selected({ globs: ['a/f 13', 'deep/er/f 10'] }))).toBeLessThan(
      everything / 5,
    );
    const deep = await bytesRead(() => selected({ directlyIn: Buffer.from('deep') }));
    expect(deep).toBeLessThan(everything / 2);
  });

  it('gives each entry a glob that matches it alone, and a name that can be typed back', () => {
    const random = Array.from({ length: 500 }, (_, i) => seededBytes(1 + (i % 40), i));
    const backslashes = ['a\\x41', 'aA', 'a\\\\x41', '\\', '\\\\', 'a\\nb', 'a\nb'].map((name) =>
      Buffer.from(name),
    );
    const paths = [...all.map(({ path }) => path), ...backslashes];
    const shown = new Set(paths.map((path) => readableBytes(path)));
    expect(shown.size).toBe(paths.length);
    for (const path of [...paths, ...random]) {
      const readable = readableBytes(path);
      expect(readable).not.toMatch(/[\n\r\t]/);
      expect(text(bytesOfReadable(readable))).toBe(text(path));
    }
    for (const path of [...all.slice(0, 50), ...all.slice(-50)].map((entry) => entry.path)) {
      const matches = globMatcher([globOfPath(path)], 'itself');
      expect(filtered(matches)).toEqual([text(path)]);
    }
  });
});
