import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BackupReader, Collection, ComposeOptions, Repository, StoredEntry } from '../index.ts';
import {
  DamagedObjectError,
  initialiseRepository,
  newKeyFile,
  NoSpaceToComposeError,
  parseKeyFile,
} from '../index.ts';
import {
  addTree,
  flipBit,
  objectsIn,
  planOf,
  readBackup,
  readTree,
  seededBytes,
  temporaryFolder,
  WatchedStore,
} from '../testing/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const keys = [parseKeyFile(newKeyFile())];
const LATER = new Date('2026-12-24T12:00:00.000Z');

type Tree = Map<string, Uint8Array>;

/** Pages changed in place, a dump that shifts, small files, equal files, zeros, an empty file. */
function firstTree(): Tree {
  const tree: Tree = new Map<string, Uint8Array>([
    ['pages.db', seededBytes(2 * MIB, 1)],
    ['dump.sql', seededBytes(MIB, 2)],
    ['zeros.img', Buffer.concat([Buffer.alloc(MIB), seededBytes(9000, 3), Buffer.alloc(300_000)])],
    ['copy of pages', seededBytes(2 * MIB, 1)],
    ['empty', new Uint8Array()],
  ]);
  for (let i = 0; i < 80; i++) tree.set(`small/${i}`, seededBytes(100 + i * 37, 500 + i));
  return tree;
}

function changed(tree: Tree, round: number): Tree {
  const next: Tree = new Map(tree);
  const pages = Buffer.from(tree.get('pages.db')!);
  for (let i = 0; i < 40; i++)
    seededBytes(8 * KIB, round * 1000 + i).copy(pages, ((i * 7919 + round * 31) % 256) * 8 * KIB);
  next.set('pages.db', pages);
  next.set(
    'dump.sql',
    Buffer.concat([Buffer.from(`-- ${round}\n`), tree.get('dump.sql')!.subarray(round * 13)]),
  );
  next.set(`small/${round * 3}`, Buffer.from(`round ${round}`));
  next.delete(`small/${round * 5}`);
  next.set(`new ${round}`, seededBytes(50_000, round * 77));
  return next;
}

describe('composing a full', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: WatchedStore;
  let repository: Repository;
  let collection: Collection;
  let newest: Tree;
  beforeEach(async () => {
    folder = await temporaryFolder();
    store = new WatchedStore(folder.path);
    repository = await initialiseRepository(store, { keys, installation: 'here' });
    collection = repository.collection('c');
  });
  afterEach(async () => {
    await repository.close();
    await folder.remove();
  });

  async function write(
    id: string,
    parent: string | undefined,
    tree: Tree,
    unchanged: (path: string) => boolean = () => false,
  ) {
    const lineage = parent === undefined ? {} : { type: 'incremental' as const, parent };
    const startedAt = parent === 'composed' ? new Date(LATER.getTime() + 1000) : planOf(id).startedAt;
    const writer = await collection.beginBackup(planOf(id, { ...lineage, startedAt }), { packBytes: MIB });
    await addTree(writer, tree, unchanged);
    if (parent !== undefined) writer.warn({ path: Buffer.from('gone'), code: 'FILE_VANISHED', message: id });
    const { manifest } = await writer.finish({
      position: { start: '0', end: `position of ${id}`, archivePoint: '7' },
      asOf: new Date(`2026-11-2${id.length}T00:00:00Z`),
      driverDetails: { round: id },
    });
    return manifest;
  }

  async function chain(): Promise<void> {
    newest = firstTree();
    await write('full', undefined, newest);
    for (const [round, id] of ['i1', 'i2', 'i3'].entries()) {
      newest = changed(newest, round + 1);
      await write(id, round === 0 ? 'full' : `i${round}`, newest);
    }
  }

  const compose = (options: ComposeOptions = {}, attempt = 1, from = 'i3', id = 'composed') =>
    collection.compose(
      { backupId: id, run: `run-${id}`, attempt, startedAt: LATER, from },
      { packBytes: MIB, ...options },
    );

  async function entriesOf(backup: string): Promise<unknown[]> {
    const reader = await collection.openBackup(backup);
    const entries: unknown[] = [];
    for await (const entry of reader.entries()) entries.push(withoutPlaces(entry));
    await reader.close();
    return entries;
  }

  /** Everything of an entry but where its blocks lie. */
  function withoutPlaces({ content, ...entry }: StoredEntry): unknown {
    return { ...entry, content: content && [content.size, content.sha256, content.cut] };
  }

  async function expectContents(reader: BackupReader, tree: Tree): Promise<void> {
    const read = await readTree(reader);
    expect([...read.keys()].sort()).toEqual([...tree.keys()].sort());
    for (const [path, bytes] of tree) expect(read.get(path)!.equals(bytes)).toBe(true);
    await reader.close();
  }

  it('shows what the newest point shows, times and warnings included, and owns every byte', async () => {
    await chain();
    const { manifest } = await compose();
    expect(manifest).toMatchObject({
      type: 'full',
      copyOnly: false,
      chain: 'composed',
      composedFrom: 'i3',
      position: { start: '0', end: 'position of i3' },
      asOf: '2026-11-22T00:00:00.000Z',
      driverDetails: { round: 'i3' },
      backups: ['composed'],
      warnings: 1,
      folder: '2026/12/24-120000.00',
    });
    expect(manifest).not.toHaveProperty('parent');
    expect(manifest.position).toEqual({ start: '0', end: 'position of i3' });
    expect(manifest.volumes.map(({ backup }) => backup)).toEqual(['composed']);
    expect(manifest.statistics).toMatchObject({
      entries: newest.size,
      bytes: (await collection.backup('i3')).manifest.statistics.bytes,
      bytesRead: 0,
    });
    expect(await entriesOf('composed')).toEqual(await entriesOf('i3'));
    const warnings: unknown[] = [];
    for await (const one of (await collection.openBackup('composed')).warnings()) warnings.push(one.message);
    expect(warnings).toEqual(['i3']);
    expect((await collection.latest())?.backup).toBe('composed');
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
  });

  it('restores alone when the chain it was composed from is pruned', async () => {
    await chain();
    await compose();
    const gone = ['full', 'i1', 'i2', 'i3'];
    const { deleted } = await repository.prune('c', {
      installation: 'here',
      backups: gone.map((backup) => ({ backup, run: `run-${backup}` })),
    });
    expect(deleted.map(({ backup }) => backup).sort()).toEqual(gone.sort());
    const left = (await objectsIn(folder.path)).filter((name) => /pack-|map-|tree-/.test(name));
    expect(left.every((name) => name.startsWith('c/2026/12/24-120000.00/'))).toBe(true);
    await expectContents(await collection.openBackup('composed'), newest);
  });

  it('is a parent like any other: what is unchanged is neither read nor written again', async () => {
    await chain();
    await compose();
    const same = await write('unchanged', 'composed', newest, () => true);
    expect(same.statistics).toMatchObject({ bytesRead: 0, bytesNew: 0 });
    expect(same.backups).toEqual(['composed', 'unchanged']);
    const next = changed(newest, 4);
    const some = await write('changed', 'unchanged', next);
    // Forty pages, two small files, and the chunks around two cuts of the dump.
    expect(some.statistics.bytesNew).toBeLessThan(40 * 8 * KIB + 60_000 + 5 * 256 * KIB);
    await expectContents(await collection.openBackup('changed'), next);
  });

  it('keeps units that live on whole as they are compressed, and stores what is equal once', async () => {
    newest = firstTree();
    const full = await write('full', undefined, newest);
    const same = await write('same', 'full', newest);
    expect(same.statistics.bytesStored).toBeLessThan(20 * KIB);
    const { statistics } = (await compose({}, 1, 'same')).manifest;
    expect(statistics.bytesNew).toBe(full.statistics.bytesNew);
    expect(statistics.bytesStored).toBeLessThan(full.statistics.bytesStored * 1.01);
    await expectContents(await collection.openBackup('composed'), newest);
  });

  it('brings together what changes have scattered', async () => {
    await chain();
    await compose();
    const reader = await collection.openBackup('composed');
    const needed = reader.manifest.volumes[0]!;
    expect(needed.liveBytes).toBeGreaterThan(needed.packBytes * 0.98);
    await reader.close();
    const scattered = (await collection.backup('i3')).manifest.volumes;
    expect(scattered.reduce((sum, { packBytes }) => sum + packBytes, 0)).toBeGreaterThan(needed.packBytes);
  });

  it('uses again what an earlier attempt of the run made durable', async () => {
    await chain();
    const stopped = new Error('stopped');
    const stop = async () => {
      throw stopped;
    };
    await expect(compose({ beforeManifest: stop })).rejects.toBe(stopped);
    expect(await collection.findManifest('run-composed')).toBeUndefined();
    expect((await collection.latest())?.backup).toBe('full');
    const { manifest } = await compose({}, 2);
    expect(manifest.attempt).toBe(2);
    expect(manifest.statistics.bytesNew).toBe(0);
    expect(manifest.backups).toEqual(['composed']);
    expect(await entriesOf('composed')).toEqual(await entriesOf('i3'));
    await expectContents(await collection.openBackup('composed'), newest);
    const again = await collection.adopt('run-composed');
    expect(again).toMatchObject({ adopted: true, backupId: 'composed' });
  });

  it('stops when it is told to, and leaves nothing unfinished', async () => {
    await chain();
    const controller = new AbortController();
    const onProgress = ({ files }: { files: number }) => {
      if (files === 40) controller.abort(new Error('enough'));
    };
    await expect(compose({ signal: controller.signal, onProgress })).rejects.toThrow('enough');
    expect((await objectsIn(folder.path)).filter((name) => name.includes('12/24'))).not.toContain(
      'c/2026/12/24-120000.00/manifest.json',
    );
    expect((await collection.verify({ depth: 'checksums' })).damages).toEqual([]);
  });

  it.each(['pack', 'map', 'tree'])(
    'ends by name when a %s it needs is damaged, and nothing of it counts',
    async (kind) => {
      await chain();
      const objects = (await objectsIn(folder.path)).filter((name) => name.includes(`/${kind}-`));
      for (const object of objects.filter((name) => name.includes('-incremental/')))
        await flipBit(folder.path, object, 0.3);
      const failed: unknown = await compose().catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(DamagedObjectError);
      const { damage } = failed as DamagedObjectError;
      expect(objects).toContain(damage.object);
      expect(damage.backups).toEqual(['i3']);
      if (kind === 'pack') expect(damage.files.length).toBeGreaterThan(0);
      expect(await collection.findManifest('run-composed')).toBeUndefined();
      expect((await collection.latest())?.backup).toBe('full');
    },
  );

  it('says what it needs before it begins, and does not begin where that is not free', async () => {
    await chain();
    const spaces: { needed: number; free?: number }[] = [];
    const { manifest } = await compose({ onSpace: (space) => spaces.push(space) });
    expect(spaces).toHaveLength(1);
    const { needed, free } = spaces[0]!;
    expect(needed).toBeGreaterThan(manifest.statistics.bytesStored * 0.95);
    expect(needed).toBeLessThan(manifest.statistics.bytesStored * 1.3);
    expect(free).toBeGreaterThan(0);
    store.freeBytes = async () => needed - 1;
    const refused = compose({}, 1, 'i3', 'another');
    await expect(refused).rejects.toThrow(NoSpaceToComposeError);
    await expect(refused).rejects.toMatchObject({
      code: 'vault.no-space-to-compose',
      details: { needed, free: needed - 1 },
    });
  });

  it('takes new objects under the data key that is active now', async () => {
    await chain();
    await collection.rotateKey();
    const { manifest } = await compose();
    const { active } = (await collection.keyring())!;
    expect(manifest.keys).toEqual([active]);
    await expectContents(await collection.openBackup('composed'), newest);
  });

  it('is refused when what it is to be composed from is not there', async () => {
    await write('full', undefined, new Map());
    await expect(compose({}, 1, 'nowhere')).rejects.toMatchObject({ code: 'vault.backup-missing' });
  });
});

describe('a composed full', () => {
  const name = fc.constantFrom('a', 'b.sql', 'c/d', 'e', 'f');
  const content = fc.tuple(fc.nat(5), fc.nat(400_000)).map(([seed, size]) => seededBytes(size, seed));
  const step = fc.tuple(name, fc.option(content), fc.nat(40), fc.nat(9));

  it('is what it was composed from, whatever happened before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        async (rounds) => {
          const folder = await temporaryFolder();
          const repository = await initialiseRepository(folder.path, { installation: 'here' });
          const collection = repository.collection('c');
          const tree: Tree = new Map([['a', seededBytes(300_000, 1)]]);
          let parent: string | undefined;
          for (const [round, steps] of rounds.entries()) {
            for (const [path, bytes, block, seed] of steps) {
              const old = tree.get(path);
              if (bytes !== null) tree.set(path, bytes);
              else if (old !== undefined && old.length > 0) {
                const next = Buffer.from(old);
                seededBytes(8 * KIB, seed).copy(next, Math.min(block * 8 * KIB, next.length - 1));
                tree.set(path, next);
              }
            }
            const id = `b${round}`;
            const lineage = parent === undefined ? {} : { type: 'incremental' as const, parent };
            const writer = await collection.beginBackup(planOf(id, lineage), { unitBytes: 32 * KIB });
            await addTree(writer, tree);
            await writer.finish();
            parent = id;
          }
          const plan = { backupId: 'composed', run: 'r', attempt: 1, startedAt: LATER, from: parent! };
          const { manifest } = await collection.compose(plan, { unitBytes: 32 * KIB });
          expect(manifest.backups).toEqual(['composed']);
          const read = await readBackup(collection, 'composed');
          expect(read.size).toBe(tree.size);
          for (const [path, bytes] of tree) expect(read.get(path)!.equals(bytes)).toBe(true);
          expect((await collection.verify({ depth: 'checksums', backups: ['composed'] })).damages).toEqual(
            [],
          );
          await repository.close();
          await folder.remove();
        },
      ),
      { numRuns: 8 },
    );
  });
});
