import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Collection, ContentReader, Repository, StoredEntry } from '../index.ts';
import {
  BackupRefusedError,
  WritingReserve,
  EntryOrderError,
  ForeignContentError,
  initialiseRepository,
  newKeyFile,
  parseKeyFile,
} from '../index.ts';
import {
  addTree,
  bytesReader,
  fileEntry,
  objectsIn,
  planOf,
  readTree,
  seededBytes,
  temporaryFolder,
  untilPacks,
} from '../testing/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const keys = [parseKeyFile(newKeyFile())];

describe('writing a backup', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let repository: Repository;
  let collection: Collection;
  beforeEach(async () => {
    folder = await temporaryFolder();
    repository = await initialiseRepository(folder.path, { keys, installation: 'here' });
    collection = repository.collection('photos');
  });
  afterEach(async () => {
    await repository.close();
    await folder.remove();
  });

  const read = async (backup: string) => {
    const reader = await collection.openBackup(backup);
    const tree = await readTree(reader);
    await reader.close();
    return tree;
  };

  async function write(
    plan: Parameters<Collection['beginBackup']>[0],
    tree: ReadonlyMap<string, Uint8Array>,
  ) {
    const writer = await collection.beginBackup(plan);
    await addTree(writer, tree);
    return writer.finish();
  }

  async function bytesInPacks({ store }: Repository): Promise<number> {
    let bytes = 0;
    for await (const { name, size } of store.list('')) if (name.includes('/pack-')) bytes += size;
    return bytes;
  }

  it('writes with the threads of a backup before it, which keep nothing of its keys and blocks', async () => {
    const reserve = new WritingReserve();
    const image = seededBytes(4 * MIB, 7);
    for (const [id, name] of [
      ['one', 'photos'],
      ['two', 'others'],
    ] as const) {
      collection = repository.collection(name);
      const writer = await collection.beginBackup(planOf(id), { reserve, workers: 1 });
      await addTree(writer, new Map([['disk.img', image]]));
      const { manifest } = await writer.finish();
      expect(manifest.statistics.bytesNew).toBe(4 * MIB);
      expect(reserve.threads.kept).toBe(1);
      expect(reserve.memory.kept).toBeGreaterThan(8 * MIB);
      expect((await read(id)).get('disk.img')?.equals(image)).toBe(true);
    }
    await reserve.close();
  });

  it('adds little more than what has changed, in place, anywhere in a large file', async () => {
    const image = seededBytes(64 * MIB, 1);
    await write(planOf('full'), new Map([['disk.img', image]]));
    const changedBlocks = 80;
    let parent = 'full';
    for (const [round, type] of (['incremental', 'incremental', 'differential'] as const).entries()) {
      for (let i = 0; i < changedBlocks; i++)
        seededBytes(8 * KIB, 1000 + i + round * 1000).copy(image, ((i * 7919 + round * 31) % 8192) * 8 * KIB);
      const id = `b${round}`;
      const lineage = type === 'incremental' ? { parent } : { base: 'full' };
      const { manifest } = await write(planOf(id, { type, ...lineage }), new Map([['disk.img', image]]));
      const { bytesNew, bytesStored, bytesOfMaps } = manifest.statistics;
      const expected = (type === 'incremental' ? 1 : 3) * changedBlocks * 8 * KIB;
      expect(bytesNew).toBe(expected);
      expect(bytesStored - bytesOfMaps).toBeLessThan(expected * 1.01 + 4096);
      expect(bytesOfMaps).toBeLessThan(0.01 * image.length);
      if (type === 'incremental') parent = id;
    }
    for (const backup of ['b1', 'b2']) {
      const tree = await read(backup);
      if (backup === 'b2') expect(tree.get('disk.img')?.equals(image)).toBe(true);
    }
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
  });

  it('adds little more than what was inserted into a file whose content shifts', async () => {
    const dump = seededBytes(16 * MIB, 2);
    await write(planOf('full'), new Map([['dump.sql', dump]]));
    const longer = Buffer.concat([
      Buffer.from('-- first line\n'),
      dump.subarray(0, 9 * MIB),
      dump.subarray(9 * MIB + 7),
    ]);
    const plan = planOf('inc', { type: 'incremental', parent: 'full' });
    const { manifest } = await write(plan, new Map([['dump.sql', longer]]));
    expect(manifest.statistics.bytesNew).toBeLessThan(MIB);
    expect((await read('inc')).get('dump.sql')?.equals(longer)).toBe(true);
  });

  it('stores equal files once, and zeros not at all', async () => {
    const same = seededBytes(MIB, 3);
    const tree = new Map<string, Uint8Array>([
      ['one', same],
      ['two', same],
      ['zeros', Buffer.alloc(8 * MIB)],
    ]);
    const { manifest } = await write(planOf('full'), tree);
    expect(manifest.statistics).toMatchObject({ bytes: 10 * MIB, bytesNew: MIB });
    const found = await read('full');
    for (const [path, bytes] of tree) expect(found.get(path)?.equals(bytes)).toBe(true);
  });

  it('writes almost nothing when nothing has changed, whatever the number of files', async () => {
    const tree = new Map(
      Array.from({ length: 3000 }, (_, i) => [`folder ${i % 7}/file ${i}`, Buffer.from(`content ${i}`)]),
    );
    await write(planOf('full'), tree);
    const writer = await collection.beginBackup(planOf('inc', { type: 'incremental', parent: 'full' }));
    for await (const before of writer.previous()) await writer.add(before, { asBefore: before });
    const { manifest } = await writer.finish();
    expect(manifest.statistics).toMatchObject({ entries: 3000, bytesRead: 0, bytesNew: 0 });
    expect(manifest.statistics.bytesStored).toBeLessThan(4 * KIB);
    expect((await read('inc')).size).toBe(3000);

    const one = await collection.beginBackup(planOf('inc2', { type: 'incremental', parent: 'inc' }));
    for await (const before of one.previous()) {
      const isChanged = Buffer.from(before.path).toString() === 'folder 3/file 1004';
      await one.add(
        before,
        isChanged ? { read: bytesReader(Buffer.from('new')), before } : { asBefore: before },
      );
    }
    const { statistics } = (await one.finish()).manifest;
    expect(statistics.bytesStored).toBeLessThan(32 * KIB);
    expect((await read('inc2')).get('folder 3/file 1004')?.toString()).toBe('new');
  });

  it('lists in its closure what it needs and nothing of what it no longer needs', async () => {
    const [a, b] = [seededBytes(MIB, 4), seededBytes(MIB, 5)];
    await write(planOf('full'), new Map([['a', a]]));
    await write(
      planOf('i1', { type: 'incremental', parent: 'full' }),
      new Map([
        ['a', a],
        ['b', b],
      ]),
    );
    const { manifest } = await write(
      planOf('i2', { type: 'incremental', parent: 'i1' }),
      new Map([['b', b]]),
    );
    expect(manifest.backups).toEqual(['i1', 'i2']);
    expect(manifest.chain).toBe('full');
    const [full, first] = manifest.volumes;
    expect(full).toMatchObject({ backup: 'full', liveBytes: 0, needs: { packs: [], maps: [], tree: [] } });
    expect(first).toMatchObject({ backup: 'i1', needs: { packs: [[1, 1]] } });
    expect(first!.liveBytes).toBeGreaterThan(0.9 * MIB);
    expect(manifest.keys).toHaveLength(1);
  });

  it('ends with one backup when two attempts of a run write it, and the loser adopts', async () => {
    const tree = new Map([['a', seededBytes(100_000, 6)]]);
    const begin = (attempt: number) => collection.beginBackup(planOf('b', { attempt }));
    const writers = [await begin(1), await begin(2)];
    for (const writer of writers) await addTree(writer, tree);
    const finished = await Promise.all(writers.map((writer) => writer.finish()));
    expect(finished.map(({ adopted }) => adopted).sort()).toEqual([false, true]);
    expect(finished[0]!.hash).toBe(finished[1]!.hash);
    expect((await collection.findManifest('run-b'))?.ref.hash).toBe(finished[0]!.hash);
    expect(await collection.adopt('run-b')).toMatchObject({ adopted: true, hash: finished[0]!.hash });
    expect((await objectsIn(folder.path)).filter((name) => name.endsWith('manifest.json'))).toHaveLength(1);
    expect(await collection.findManifest('run-other')).toBeUndefined();
  });

  it('is opened by name and hash, and refused when it is not the one the log recorded', async () => {
    const { name, hash } = await write(planOf('b'), new Map());
    expect((await collection.backup({ backupId: 'b', name, hash })).manifest.backup).toBe('b');
    expect(
      (await collection.backup({ backupId: 'b', name: 'photos/elsewhere/manifest.json' })).ref.hash,
    ).toBe(hash);
    const other = collection.openBackup({ backupId: 'b', name, hash: '0'.repeat(64) });
    await expect(other).rejects.toMatchObject({ code: 'vault.damaged', damage: { object: name } });
    await expect(collection.openBackup('none')).rejects.toMatchObject({ code: 'vault.backup-missing' });
  });

  it('gives two runs that begin in the same hundredth of a second a folder each', async () => {
    const [one, two] = await Promise.all(
      ['x', 'y'].map((id) => write(planOf(id), new Map([['a', Buffer.from(id)]]))),
    );
    expect(one!.name).not.toBe(two!.name);
    expect((await read('x')).get('a')?.toString()).toBe('x');
    expect((await read('y')).get('a')?.toString()).toBe('y');
  });

  it('keeps copy-only fulls apart: never LATEST, never a parent or base', async () => {
    await write(planOf('full'), new Map([['a', Buffer.from('1')]]));
    const later = new Date('2026-11-21T12:00:00Z');
    const { name } = await write(
      planOf('co', { copyOnly: true, startedAt: later }),
      new Map([['a', Buffer.from('2')]]),
    );
    expect(name).toBe('photos/copy-only/2026/11/21-120000.00/manifest.json');
    expect((await collection.latest())?.backup).toBe('full');
    for (const lineage of [
      { type: 'incremental', parent: 'co' },
      { type: 'differential', base: 'co' },
    ] as const)
      await expect(collection.beginBackup(planOf('z', lineage))).rejects.toThrow(BackupRefusedError);
    await write(planOf('next', { startedAt: later }), new Map());
    expect((await collection.latest())?.backup).toBe('next');
  });

  it('names its folders so that a person can read them', async () => {
    await write(planOf('full'), new Map());
    const startedAt = new Date('2026-11-21T03:04:05.678Z');
    const plan = planOf('inc', { type: 'incremental', parent: 'full', startedAt });
    const { name } = await write(plan, new Map());
    expect(name).toBe('photos/2026/11/20-120000.12/20261121-030405.67-incremental/manifest.json');
    const after = planOf('inc2', {
      type: 'incremental',
      parent: 'inc',
      startedAt: new Date('2026-11-22T03:04:05Z'),
    });
    expect((await write(after, new Map())).name).toBe(
      'photos/2026/11/20-120000.12/20261122-030405.00-incremental/manifest.json',
    );
  });

  it.each([
    ['a full with a parent', planOf('z', { parent: 'full' })],
    ['an incremental without parent', planOf('z', { type: 'incremental' })],
    ['a differential to an incremental', planOf('z', { type: 'differential', base: 'inc' })],
    ['a copy-only incremental', planOf('z', { type: 'incremental', parent: 'full', copyOnly: true })],
    [
      'an incremental to another family',
      planOf('z', {
        type: 'incremental',
        parent: 'full',
        source: { name: 'photos', uid: 'source-1', family: 'another', driver: 'files' },
      }),
    ],
  ])('refuses %s', async (_, plan) => {
    await write(planOf('full'), new Map());
    await write(planOf('inc', { type: 'incremental', parent: 'full' }), new Map());
    await expect(collection.beginBackup(plan)).rejects.toThrow(BackupRefusedError);
  });

  it('refuses entries out of order, and content of another backup', async () => {
    await write(planOf('full'), new Map([['a', Buffer.from('1')]]));
    const writer = await collection.beginBackup(planOf('other'));
    await writer.add(fileEntry('b', 1), { read: bytesReader(Buffer.from('1')) });
    await expect(writer.add(fileEntry('a', 1), { read: bytesReader(Buffer.from('1')) })).rejects.toThrow(
      EntryOrderError,
    );
    const reader = await collection.openBackup('full');
    const foreign = (await reader.find(Buffer.from('a')))!;
    await expect(writer.add(fileEntry('c', 1), { asBefore: foreign })).rejects.toThrow(ForeignContentError);
    await expect(writer.add(fileEntry('d', 1))).rejects.toMatchObject({ code: 'vault.content-missing' });
    await writer.finish();
    expect([...(await read('other')).keys()]).toEqual(['b']);
  });

  it('leaves out only the file that cannot be read, small or large', async () => {
    const failing = (bytes: number): ContentReader => ({
      sizeHint: BigInt(bytes),
      async *open() {
        yield seededBytes(bytes / 2);
        throw new Error('EIO');
      },
    });
    const writer = await collection.beginBackup(planOf('b'));
    const results = await Promise.allSettled([
      writer.add(fileEntry('a', 5), { read: bytesReader(Buffer.from('first')) }),
      writer.add(fileEntry('b', 100), { read: failing(100) }),
      writer.add(fileEntry('c', 6), { read: bytesReader(Buffer.from('second')) }),
      writer.add(fileEntry('d', 4 * MIB), { read: failing(4 * MIB) }),
      writer.add(fileEntry('e', 5), { read: bytesReader(Buffer.from('third')) }),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    writer.warn({ path: Buffer.from([0x62, 0xff]), code: 'FILE_NOT_READABLE', message: 'EIO' });
    const { manifest } = await writer.finish();
    expect(manifest).toMatchObject({ warnings: 1, statistics: { entries: 3 } });
    expect([...(await read('b')).keys()]).toEqual(['a', 'c', 'e']);
    const reader = await collection.openBackup('b');
    const warnings = [];
    for await (const warning of reader.warnings()) warnings.push(warning);
    expect(warnings).toEqual([
      { path: Buffer.from([0x62, 0xff]), code: 'FILE_NOT_READABLE', message: 'EIO' },
    ]);
  });

  it('records the size that was read, not the one announced', async () => {
    const writer = await collection.beginBackup(planOf('b'));
    const grown = { ...bytesReader(Buffer.from('grown meanwhile')), sizeHint: 3n };
    const result = await writer.add(fileEntry('a', 3), { read: grown });
    expect(result.bytesRead).toBe(15n);
    await writer.finish();
    const reader = await collection.openBackup('b');
    expect((await reader.find(Buffer.from('a')))?.size).toBe(15n);
  });

  it('stops when it is told to, and leaves no manifest', async () => {
    const controller = new AbortController();
    const writer = await collection.beginBackup(planOf('b'), { signal: controller.signal });
    const endless: ContentReader = {
      sizeHint: 1n << 40n,
      async *open() {
        for (let i = 0; ; i++) {
          if (i === 20) controller.abort(new Error('cancelled by a person'));
          yield seededBytes(MIB, i);
        }
      },
    };
    await expect(writer.add(fileEntry('a', 0), { read: endless })).rejects.toThrow('cancelled by a person');
    await writer.abandon();
    await expect(writer.finish()).rejects.toThrow();
    expect(await collection.findManifest('run-b')).toBeUndefined();
    expect((await objectsIn(folder.path)).filter((name) => name.endsWith('manifest.json'))).toEqual([]);
  });

  it.each([
    ['whose blocks are all held', undefined, (durable: number) => 12 * MIB - durable],
    // What is asked for at once may lie in more packs than are held: then it is stored again, but for the first pack.
    ['of which only some blocks are held at once', 500, () => 11 * MIB],
  ])('uses again what an abandoned attempt made durable, %s, and lists it', async (_, most, againAtMost) => {
    const image = seededBytes(12 * MIB, 8);
    const first = await collection.beginBackup(planOf('b'), { packBytes: MIB });
    await first.add(fileEntry('a.img', image.length), { read: bytesReader(image) });
    await untilPacks(repository, { run: 'run-b' }, 6);
    await first.abandon();
    const durable = await bytesInPacks(repository);
    expect(durable).toBeGreaterThan(6 * MIB);
    const second = await collection.beginBackup(planOf('b', { attempt: 2 }), {
      packBytes: MIB,
      ...(most === undefined ? {} : { leftoverBlocks: most }),
    });
    await addTree(
      second,
      new Map([
        ['a.img', image],
        ['b', Buffer.from('more')],
      ]),
    );
    const { manifest } = await second.finish();
    expect(manifest.statistics.bytesNew).toBeLessThan(againAtMost(durable) + 256 * KIB);
    expect(manifest.volumes.map(({ attempt }) => attempt).sort()).toEqual([1, 2]);
    expect((await read('b')).get('a.img')?.equals(image)).toBe(true);
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);

    const plan = planOf('inc', { type: 'incremental', parent: 'b' });
    const next = await write(plan, new Map([['a.img', image]]));
    expect(next.manifest.statistics.bytesNew).toBe(0);
    expect((await read('inc')).get('a.img')?.equals(image)).toBe(true);
  });

  it('reports progress and gives parts of a file, each block checked', async () => {
    const image = seededBytes(3 * MIB + 11, 9);
    let last = 0;
    const writer = await collection.beginBackup(planOf('b'), {
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
    const reader = await collection.openBackup('b');
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

  it('tells how far it is in a file that it reads by itself', async () => {
    const image = seededBytes(3 * MIB + 11, 9);
    const told: number[] = [];
    await writeFile(path.join(folder.path, 'image'), image);
    const handle = await open(path.join(folder.path, 'image'));
    const file = {
      descriptor: handle.fd,
      size: BigInt(image.length),
      done: () => undefined,
      onRead: (bytes: number) => told.push(bytes),
      failed: (error: unknown) => error,
    };
    const writer = await collection.beginBackup(planOf('b'));
    await writer.add(fileEntry('a.img', image.length), { read: { ...bytesReader(image), file } });
    await writer.finish();
    await handle.close();
    expect(told.length).toBeGreaterThan(1);
    expect(told.reduce((sum, bytes) => sum + bytes)).toBe(image.length);
  });

  it('finds one entry, and those beneath a folder or matching a glob', async () => {
    const paths = ['a', 'a/b', 'a/b/c.txt', 'a.txt', 'ab/x', 'z/[odd] name*'];
    await write(planOf('b'), new Map(paths.map((path) => [path, Buffer.from(path)])));
    const reader = await collection.openBackup('b');
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
