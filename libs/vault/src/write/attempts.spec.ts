import { describe, expect, it } from '@jest/globals';
import type { ContentReader } from '../index.ts';
import {
  addTree,
  bytesReader,
  collectionForEach,
  fileEntry,
  objectsIn,
  planOf,
  seededBytes,
  untilPacks,
} from '../testing/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('the attempts of a run', () => {
  const vault = collectionForEach();

  it('ends with one backup when two attempts of a run write it, and the loser adopts', async () => {
    const tree = new Map([['a', seededBytes(100_000, 6)]]);
    const begin = (attempt: number) => vault.collection.beginBackup(planOf('b', { attempt }));
    const writers = [await begin(1), await begin(2)];
    for (const writer of writers) await addTree(writer, tree);
    const finished = await Promise.all(writers.map((writer) => writer.finish()));
    expect(finished.map(({ adopted }) => adopted).sort()).toEqual([false, true]);
    expect(finished[0]!.hash).toBe(finished[1]!.hash);
    expect((await vault.collection.findManifest('run-b'))?.ref.hash).toBe(finished[0]!.hash);
    expect(await vault.collection.adopt('run-b')).toMatchObject({ adopted: true, hash: finished[0]!.hash });
    expect((await objectsIn(vault.folder)).filter((name) => name.endsWith('manifest.json'))).toHaveLength(1);
    expect(await vault.collection.findManifest('run-other')).toBeUndefined();
  });

  it('gives two runs that begin in the same hundredth of a second a folder each', async () => {
    const [one, two] = await Promise.all(
      ['x', 'y'].map((id) => vault.write(planOf(id), new Map([['a', Buffer.from(id)]]))),
    );
    expect(one!.name).not.toBe(two!.name);
    expect((await vault.read('x')).get('a')?.toString()).toBe('x');
    expect((await vault.read('y')).get('a')?.toString()).toBe('y');
  });

  it('stops when it is told to, and leaves no manifest', async () => {
    const controller = new AbortController();
    const writer = await vault.collection.beginBackup(planOf('b'), { signal: controller.signal });
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
    expect(await vault.collection.findManifest('run-b')).toBeUndefined();
    expect((await objectsIn(vault.folder)).filter((name) => name.endsWith('manifest.json'))).toEqual([]);
  });

  it.each([
    ['whose blocks are all held', undefined, (durable: number) => 12 * MIB - durable],
    // What is asked for at once may lie in more packs than are held: then it is stored again, but for the first pack.
    ['of which only some blocks are held at once', 500, () => 11 * MIB],
  ])('uses again what an abandoned attempt made durable, %s, and lists it', async (_, most, againAtMost) => {
    const image = seededBytes(12 * MIB, 8);
    const first = await vault.collection.beginBackup(planOf('b'), { packBytes: MIB });
    await first.add(fileEntry('a.img', image.length), { read: bytesReader(image) });
    await untilPacks(vault.repository, { run: 'run-b' }, 6);
    await first.abandon();
    const durable = await vault.bytesInPacks();
    expect(durable).toBeGreaterThan(6 * MIB);
    const second = await vault.collection.beginBackup(planOf('b', { attempt: 2 }), {
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
    expect((await vault.read('b')).get('a.img')?.equals(image)).toBe(true);
    expect((await vault.collection.verify({ depth: 'checksums' })).damages).toEqual([]);

    const plan = planOf('inc', { type: 'incremental', parent: 'b' });
    const next = await vault.write(plan, new Map([['a.img', image]]));
    expect(next.manifest.statistics.bytesNew).toBe(0);
    expect((await vault.read('inc')).get('a.img')?.equals(image)).toBe(true);
  });
});
