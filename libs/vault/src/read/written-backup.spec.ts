import { describe, expect, it } from '@jest/globals';
import type { StoredEntry } from '../index.ts';
import { addTree, collectionForEach, planOf, seededBytes } from '../testing/index.ts';

const MIB = 1024 * 1024;

describe('a backup that was written', () => {
  const vault = collectionForEach();

  it('is opened by name and hash, and refused when it is not the one the log recorded', async () => {
    const { name, hash } = await vault.write(planOf('b'), new Map());
    expect((await vault.collection.backup({ backupId: 'b', name, hash })).manifest.backup).toBe('b');
    expect(
      (await vault.collection.backup({ backupId: 'b', name: 'photos/elsewhere/manifest.json' })).ref.hash,
    ).toBe(hash);
    const other = vault.collection.openBackup({ backupId: 'b', name, hash: '0'.repeat(64) });
    await expect(other).rejects.toMatchObject({ code: 'vault.damaged', damage: { object: name } });
    await expect(vault.collection.openBackup('none')).rejects.toMatchObject({ code: 'vault.backup-missing' });
  });

  it('reports progress and gives parts of a file, each block checked', async () => {
    const image = seededBytes(3 * MIB + 11, 9);
    let last = 0;
    const writer = await vault.collection.beginBackup(planOf('b'), {
      onProgress: ({ bytesRead }) => (last = bytesRead),
    });
    await addTree(
      writer,
      new Map([
        ['a.img', image],
        ['b.sql', image],
      ]),
    );
    await writer.finish();
    expect(last).toBe(2 * image.length);
    const reader = await vault.collection.openBackup('b');
    for (const path of ['a.img', 'b.sql']) {
      const entry = (await reader.find(Buffer.from(path))) as StoredEntry;
      for (const [offset, length] of [
        [0, 1],
        [8191, 2],
        [MIB + 5, 700_000],
        [image.length - 3, 100],
        [image.length, 5],
      ] as const) {
        const part = await reader.contentRange(entry, BigInt(offset), length);
        expect(image.subarray(offset, offset + length).equals(part)).toBe(true);
      }
    }
  });

  it('finds one entry, and those beneath a folder or matching a glob', async () => {
    const paths = ['a', 'a/b', 'a/b/c.txt', 'a.txt', 'ab/x', 'z/[odd] name*'];
    await vault.write(planOf('b'), new Map(paths.map((path) => [path, Buffer.from(path)])));
    const reader = await vault.collection.openBackup('b');
    const list = async (selection: Parameters<typeof reader.entries>[0]) => {
      const found: string[] = [];
      for await (const entry of reader.entries(selection)) found.push(Buffer.from(entry.path).toString());
      return found;
    };
    expect(await list({})).toEqual(['a', 'a/b', 'a/b/c.txt', 'a.txt', 'ab/x', 'z/[odd] name*']);
    expect(await list({ under: Buffer.from('a') })).toEqual(['a', 'a/b', 'a/b/c.txt']);
    expect(await list({ under: Buffer.from('none') })).toEqual([]);
    expect(await list({ globs: ['**/*.txt'] })).toEqual(['a/b/c.txt', 'a.txt']);
    expect(await list({ globs: ['a/*'] })).toEqual(['a/b', 'a/b/c.txt']);
    expect(await list({ globs: ['a?', 'z'] })).toEqual(['ab/x', 'z/[odd] name*']);
    expect(await list({ globs: ['[b-z]/**'] })).toEqual(['z/[odd] name*']);
    expect((await reader.find(Buffer.from('a/b')))?.size).toBe(3n);
    expect(await reader.find(Buffer.from('a/c'))).toBeUndefined();
  });
});
