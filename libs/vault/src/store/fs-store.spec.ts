import { describe, expect, it } from '@jest/globals';
import { readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { UnsupportedStoreError } from '../error/repository-error.ts';
import { describeStore, temporaryFolder } from '../testing/index.ts';
import { FsStore } from './fs-store.ts';
import { openStore } from './open-store.ts';

describeStore('a folder', async () => {
  const folder = await temporaryFolder();
  const root = path.join(folder.path, 'made', 'when needed');
  return { store: new FsStore(root), second: new FsStore(root), remove: folder.remove };
});

describe('a folder as a store', () => {
  it('keeps what is being written out of sight and cleans up behind itself', async () => {
    const folder = await temporaryFolder();
    const store = new FsStore(folder.path);
    await store.putIfAbsent('a', Buffer.from('1'));
    await store.putIfAbsent('a', Buffer.from('2'));
    expect(await readdir(path.join(folder.path, '.unfinished'))).toEqual([]);
    await store.close();
    await folder.remove();
  });

  it('is opened by path or file URL; anything else is refused by name', () => {
    expect(openStore('/some/where').location).toBe('/some/where');
    expect(openStore(pathToFileURL('/some/where else').href).location).toBe('/some/where else');
    expect(() => openStore('s3://user:secret@bucket/prefix')).toThrow(UnsupportedStoreError);
    expect(() => openStore('s3://user:secret@bucket/prefix')).not.toThrow(/secret/);
  });

  it('keeps more files open than it may only while they are used', async () => {
    const folder = await temporaryFolder();
    const store = new FsStore(folder.path);
    const opened = async () => {
      const all = (await readdir('/proc/self/fd').catch(() => [])).map((fd) =>
        readlink(`/proc/self/fd/${fd}`).catch(() => ''),
      );
      return (await Promise.all(all)).filter((file) => file.startsWith(folder.path)).length;
    };
    const names = Array.from({ length: 400 }, (_, i) => `o/${i}`);
    for (const name of names) await store.putIfAbsent(name, Buffer.from(name));
    const read = await Promise.all(names.map((name) => store.read(name, 0, 10)));
    expect(read.map((bytes) => Buffer.from(bytes).toString())).toEqual(names);
    expect(await opened()).toBeLessThan(300);
    await store.close();
    await folder.remove();
  });

  it('takes away the folder that a delete left empty, and makes it again for who still counts on it', async () => {
    const folder = await temporaryFolder();
    const [store, other] = [new FsStore(folder.path), new FsStore(folder.path)];
    await store.putIfAbsent('year/backup/object', Buffer.from('1'));
    await store.putIfAbsent('year/backup/second', Buffer.from('2'));
    await other.delete('year/backup/object');
    expect(await readdir(path.join(folder.path, 'year'))).toEqual(['backup']);
    await other.delete('year/backup/second');
    expect(await readdir(path.join(folder.path, 'year'))).toEqual([]);
    expect(await store.putIfAbsent('year/backup/third', Buffer.from('3'))).toBe(true);
    expect(Buffer.from(await other.read('year/backup/third', 0, 9)).toString()).toBe('3');
    await Promise.all([store.close(), other.close()]);
    await folder.remove();
  });

  it('puts and deletes in one folder at once, by several, lose nothing that was put', async () => {
    const folder = await temporaryFolder();
    const stores = [new FsStore(folder.path), new FsStore(folder.path), new FsStore(folder.path)];
    const [first, second, third] = stores as [FsStore, FsStore, FsStore];
    for (let round = 0; round < 30; round++) {
      await first.putIfAbsent('f/old', Buffer.from('old'));
      const name = `f/new-${round}`;
      await Promise.all([
        second.delete('f/old'),
        third.delete('f/old'),
        first.putIfAbsent(name, Buffer.from(name)),
      ]);
      expect(await second.size(name)).toBe(name.length);
      await second.delete(name);
    }
    for (const store of stores) await store.close();
    await folder.remove();
  });
});
