import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { ChangedRun, Collection, Repository, StoredEntry } from '../index.ts';
import { ForeignContentError, initialiseRepository, newKeyFile, parseKeyFile } from '../index.ts';
import {
  addTree,
  bytesReader,
  fileEntry,
  planOf,
  readTree,
  seededBytes,
  temporaryFolder,
} from '../testing/index.ts';

const BLOCK = 8192;
const LEAF = 64 * BLOCK;
const keys = [parseKeyFile(newKeyFile())];

describe('content that does not come entry by entry', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let repository: Repository;
  let collection: Collection;
  beforeEach(async () => {
    folder = await temporaryFolder();
    repository = await initialiseRepository(folder.path, { keys, installation: 'here' });
    collection = repository.collection('cluster');
  });
  afterEach(async () => {
    await repository.close();
    await folder.remove();
  });

  async function full(files: Record<string, Uint8Array>) {
    const writer = await collection.beginBackup(planOf('full'));
    await addTree(writer, new Map(Object.entries(files)));
    return writer.finish();
  }

  async function find(
    writer: { previous(): AsyncIterable<StoredEntry> },
    path: string,
  ): Promise<StoredEntry> {
    for await (const entry of writer.previous())
      if (Buffer.from(entry.path).toString() === path) return entry;
    throw new Error(`no ${path}`);
  }

  /** An incremental in which one file is given as changes. */
  async function change(
    id: string,
    parent: string,
    size: number,
    changes: ChangedRun[],
    sha256?: Uint8Array,
  ) {
    const writer = await collection.beginBackup(planOf(id, { type: 'incremental', parent }));
    const before = await find(writer, 'data');
    const result = await writer.add(fileEntry('data', size, 2), {
      ...{ before, size: BigInt(size), changes },
      ...(sha256 === undefined ? {} : { sha256 }),
    });
    return { result, finished: await writer.finish() };
  }

  async function contentOf(backup: string): Promise<Buffer | undefined> {
    const reader = await collection.openBackup(backup);
    const tree = await readTree(reader);
    await reader.close();
    return tree.get('data');
  }

  const run = (block: number, bytes: Uint8Array): ChangedRun => ({ offset: BigInt(block * BLOCK), bytes });

  it('is stored first, in any order, and becomes entries later', async () => {
    const files = { a: seededBytes(3 * LEAF, 1), b: seededBytes(100, 2), c: seededBytes(LEAF + 5, 3) };
    const writer = await collection.beginBackup(planOf('full'));
    const store = (path: keyof typeof files) =>
      writer.store(
        { read: bytesReader(files[path]), readAt: 77n },
        { path: Buffer.from(path), size: BigInt(files[path].length) },
      );
    const [c, a, b] = await Promise.all([store('c'), store('a'), store('b')]);
    expect(a.sha256).toEqual(createHash('sha256').update(files.a).digest());
    expect(a.size).toBe(BigInt(files.a.length));
    await writer.add(fileEntry('a', files.a.length), { stored: a });
    await writer.add(fileEntry('b', files.b.length), { stored: b });
    await writer.add(fileEntry('c', files.c.length), { stored: c });
    await writer.finish();
    const reader = await collection.openBackup('full');
    const tree = await readTree(reader);
    for (const [path, bytes] of Object.entries(files)) expect(tree.get(path)?.equals(bytes)).toBe(true);
    expect((await reader.find(Buffer.from('a')))?.readAt).toBe(77n);
    await reader.close();
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
  });

  it('is added once, by the writer that stored it', async () => {
    const writer = await collection.beginBackup(planOf('full'));
    const other = await collection.beginBackup(planOf('other', { copyOnly: true }));
    const stored = await writer.store({ read: bytesReader(Buffer.from('x')) }, fileEntry('a', 1));
    await expect(other.add(fileEntry('a', 1), { stored })).rejects.toThrow(ForeignContentError);
    await writer.add(fileEntry('a', 1), { stored });
    await expect(writer.add(fileEntry('b', 1), { stored })).rejects.toThrow(ForeignContentError);
    await other.abandon();
    await writer.finish();
  });

  it('given as changes reads as the parent with the changes, and stores only those', async () => {
    const data = Buffer.from(seededBytes(40 * LEAF + 3 * BLOCK + 17, 1));
    await full({ data, other: seededBytes(10, 9) });
    const last = Math.floor(data.length / BLOCK);
    const changed = [3, 4, 64 * 20, last];
    const changes = changed.map((block) => {
      const bytes = Buffer.from(seededBytes(Math.min(BLOCK, data.length - block * BLOCK), 100 + block));
      bytes.copy(data, block * BLOCK);
      return run(block, bytes);
    });
    const { result, finished } = await change('i1', 'full', data.length, changes);
    expect((await contentOf('i1'))?.equals(data)).toBe(true);
    const bytes = 3 * BLOCK + 17;
    expect(result).toEqual({ bytesRead: BigInt(bytes), bytesNew: BigInt(bytes) });
    const { statistics, volumes, features } = finished.manifest;
    expect(features).toEqual(['content-without-hash']);
    expect(statistics.bytesOfMaps).toBeLessThan(64 * 1024);
    expect(volumes.map((volume) => volume.backup)).toEqual(['full', 'i1']);
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
    // A later reading compares with it like with any other parent.
    const writer = await collection.beginBackup(planOf('i2', { type: 'incremental', parent: 'i1' }));
    const before = await find(writer, 'data');
    expect(before.content?.sha256).toBeUndefined();
    const again = await writer.add(fileEntry('data', data.length, 3), { read: bytesReader(data), before });
    expect(again.bytesNew).toBe(0n);
    expect((await writer.finish()).manifest.features).toEqual([]);
  });

  it.each([
    ['grows inside its last block', 100, 5 * BLOCK, []],
    ['grows by zeros and a run', 2 * LEAF + 9, 5 * LEAF, [run(64 * 4, seededBytes(2 * BLOCK, 5))]],
    ['shrinks inside a block', 3 * LEAF, LEAF + 100, [run(1, seededBytes(BLOCK, 6))]],
    ['shrinks to what is kept in its entry', 3 * LEAF, 2 * BLOCK + 1, []],
    ['grows out of its entry', 3 * BLOCK, 2 * LEAF + 1, [run(2, seededBytes(BLOCK, 7))]],
    ['becomes empty', LEAF + 1, 0, []],
    ['has no change', 2 * LEAF, 2 * LEAF, []],
  ])('that %s', async (_what, sizeBefore, size, changes) => {
    const data = seededBytes(sizeBefore, 1);
    await full({ data });
    const expected = Buffer.alloc(size);
    data.copy(expected, 0, 0, Math.min(size, sizeBefore));
    for (const { offset, bytes } of changes) expected.set(bytes, Number(offset));
    const sha256 = createHash('sha256').update(expected).digest();
    const { finished } = await change('i1', 'full', size, changes, sha256);
    expect((await contentOf('i1'))?.equals(expected)).toBe(true);
    expect(finished.manifest.features).toEqual([]);
    for (const { liveBytes, packBytes } of finished.manifest.volumes)
      expect(liveBytes >= 0 && liveBytes <= packBytes).toBe(true);
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
  });

  it('without a hash is still checked block by block', async () => {
    const data = seededBytes(2 * LEAF, 1);
    await full({ data });
    const wrong = createHash('sha256').update('something else').digest();
    await change('wrong', 'full', data.length, [run(1, seededBytes(BLOCK, 2))], wrong);
    await expect(contentOf('wrong')).rejects.toThrow('differs from its hash');
    await change('i1', 'full', data.length, [run(1, seededBytes(BLOCK, 2))]);
    await expect(contentOf('i1')).resolves.toBeDefined();
  });

  it('must be given as whole blocks in order, inside the content', async () => {
    await full({ data: seededBytes(4 * BLOCK, 1) });
    const writer = await collection.beginBackup(planOf('i1', { type: 'incremental', parent: 'full' }));
    const before = await find(writer, 'data');
    const refused = async (...changes: ChangedRun[]) => {
      const adding = writer.store(
        { before, size: BigInt(4 * BLOCK), changes },
        { path: before.path, size: before.size },
      );
      await expect(adding).rejects.toMatchObject({ code: 'vault.changes-malformed' });
    };
    await refused({ offset: 5n, bytes: Buffer.alloc(BLOCK) });
    await refused({ offset: 0n, bytes: Buffer.alloc(BLOCK - 1) });
    await refused(run(1, Buffer.alloc(BLOCK)), run(0, Buffer.alloc(BLOCK)));
    await refused(run(0, Buffer.alloc(2 * BLOCK)), run(1, Buffer.alloc(BLOCK)));
    await refused(run(4, Buffer.alloc(BLOCK)));
    await writer.add(fileEntry('data', 4 * BLOCK), { asBefore: before });
    await writer.finish();
    expect((await contentOf('i1'))?.equals(seededBytes(4 * BLOCK, 1))).toBe(true);
  });
});
