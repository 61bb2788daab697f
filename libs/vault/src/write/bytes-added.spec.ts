import { describe, expect, it } from '@jest/globals';
import { WritingReserve } from '../index.ts';
import {
  addTree,
  bytesReader,
  collectionForEach,
  planOf,
  readBackup,
  seededBytes,
} from '../testing/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('what a backup adds', () => {
  const vault = collectionForEach();

  it('writes with the threads of a backup before it, which keep nothing of its keys and blocks', async () => {
    const reserve = new WritingReserve();
    const image = seededBytes(4 * MIB, 7);
    for (const [id, name] of [
      ['one', 'photos'],
      ['two', 'others'],
    ] as const) {
      const collection = vault.repository.collection(name);
      const writer = await collection.beginBackup(planOf(id), { reserve, workers: 1 });
      await addTree(writer, new Map([['disk.img', image]]));
      const { manifest } = await writer.finish();
      expect(manifest.statistics.bytesNew).toBe(4 * MIB);
      expect(reserve.threads.kept).toBe(1);
      expect(reserve.memory.kept).toBeGreaterThan(8 * MIB);
      expect((await readBackup(collection, id)).get('disk.img')?.equals(image)).toBe(true);
    }
    await reserve.close();
  });

  it('adds little more than what has changed, in place, anywhere in a large file', async () => {
    const image = seededBytes(64 * MIB, 1);
    await vault.write(planOf('full'), new Map([['disk.img', image]]));
    const changedBlocks = 80;
    let parent = 'full';
    for (const [round, type] of (['incremental', 'incremental', 'differential'] as const).entries()) {
      for (let i = 0; i < changedBlocks; i++)
        seededBytes(8 * KIB, 1000 + i + round * 1000).copy(image, ((i * 7919 + round * 31) % 8192) * 8 * KIB);
      const id = `b${round}`;
      const lineage = type === 'incremental' ? { parent } : { base: 'full' };
      const { manifest } = await vault.write(
        planOf(id, { type, ...lineage }),
        new Map([['disk.img', image]]),
      );
      const { bytesNew, bytesStored, bytesOfMaps } = manifest.statistics;
      const expected = (type === 'incremental' ? 1 : 3) * changedBlocks * 8 * KIB;
      expect(bytesNew).toBe(expected);
      expect(bytesStored - bytesOfMaps).toBeLessThan(expected * 1.01 + 4096);
      expect(bytesOfMaps).toBeLessThan(0.01 * image.length);
      if (type === 'incremental') parent = id;
    }
    for (const backup of ['b1', 'b2']) {
      const tree = await vault.read(backup);
      if (backup === 'b2') expect(tree.get('disk.img')?.equals(image)).toBe(true);
    }
    expect((await vault.collection.verify({ depth: 'checksums' })).damages).toEqual([]);
  });

  it('adds little more than what was inserted into a file whose content shifts', async () => {
    const dump = seededBytes(16 * MIB, 2);
    await vault.write(planOf('full'), new Map([['dump.sql', dump]]));
    const longer = Buffer.concat([
      Buffer.from('-- first line\n'),
      dump.subarray(0, 9 * MIB),
      dump.subarray(9 * MIB + 7),
    ]);
    const plan = planOf('inc', { type: 'incremental', parent: 'full' });
    const { manifest } = await vault.write(plan, new Map([['dump.sql', longer]]));
    expect(manifest.statistics.bytesNew).toBeLessThan(MIB);
    expect((await vault.read('inc')).get('dump.sql')?.equals(longer)).toBe(true);
  });

  it('stores equal files once, and zeros not at all', async () => {
    const same = seededBytes(MIB, 3);
    const tree = new Map<string, Uint8Array>([
      ['one', same],
      ['two', same],
      ['zeros', Buffer.alloc(8 * MIB)],
    ]);
    const { manifest } = await vault.write(planOf('full'), tree);
    expect(manifest.statistics).toMatchObject({ bytes: 10 * MIB, bytesNew: MIB });
    const found = await vault.read('full');
    for (const [path, bytes] of tree) expect(found.get(path)?.equals(bytes)).toBe(true);
  });

  it('writes almost nothing when nothing has changed, whatever the number of files', async () => {
    const tree = new Map(
      Array.from({ length: 3000 }, (_, i) => [`folder ${i % 7}/file ${i}`, Buffer.from(`content ${i}`)]),
    );
    await vault.write(planOf('full'), tree);
    const writer = await vault.collection.beginBackup(planOf('inc', { type: 'incremental', parent: 'full' }));
    for await (const before of writer.previous()) await writer.add(before, { asBefore: before });
    const { manifest } = await writer.finish();
    expect(manifest.statistics).toMatchObject({ entries: 3000, bytesRead: 0, bytesNew: 0 });
    expect(manifest.statistics.bytesStored).toBeLessThan(4 * KIB);
    expect((await vault.read('inc')).size).toBe(3000);

    const one = await vault.collection.beginBackup(planOf('inc2', { type: 'incremental', parent: 'inc' }));
    for await (const before of one.previous()) {
      const isChanged = Buffer.from(before.path).toString() === 'folder 3/file 1004';
      await one.add(
        before,
        isChanged ? { read: bytesReader(Buffer.from('new')), before } : { asBefore: before },
      );
    }
    const { statistics } = (await one.finish()).manifest;
    expect(statistics.bytesStored).toBeLessThan(32 * KIB);
    expect((await vault.read('inc2')).get('folder 3/file 1004')?.toString()).toBe('new');
  });

  it('lists in its closure what it needs and nothing of what it no longer needs', async () => {
    const [a, b] = [seededBytes(MIB, 4), seededBytes(MIB, 5)];
    await vault.write(planOf('full'), new Map([['a', a]]));
    await vault.write(
      planOf('i1', { type: 'incremental', parent: 'full' }),
      new Map([
        ['a', a],
        ['b', b],
      ]),
    );
    const { manifest } = await vault.write(
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
});
