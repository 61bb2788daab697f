import { hash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CatenaError } from '@catena/events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../codec/canonical-json.ts';
import { canonicalJson } from '../codec/canonical-json.ts';
import type { BackupReader, Collection, Damage, UnlockKey, VerifyReport } from '../index.ts';
import {
  DamagedObjectError,
  initialiseRepository,
  newKeyFile,
  openRepository,
  parseKeyFile,
} from '../index.ts';
import {
  addTree,
  cutInHalf,
  flipBit,
  objectsIn,
  planOf,
  removeObject,
  seededBytes,
  swapObjects,
  temporaryFolder,
} from '../testing/index.ts';

const KIB = 1024;
const tree = new Map<string, Uint8Array>([
  ['a.db', seededBytes(300 * KIB, 1)],
  ['b.db', seededBytes(300 * KIB, 2)],
  ['c.sql', Buffer.from('some text that compresses\n'.repeat(10_000))],
  ['d/small', seededBytes(3000, 4)],
]);
const changed = new Map(tree).set('b.db', seededBytes(300 * KIB, 12));
const contents = new Map([
  ['full', tree],
  ['inc', changed],
]);

/** What can still be read of a backup, and what cannot, with the errors. */
async function readWhatIsThere(reader: BackupReader) {
  const whole: string[] = [];
  const errors: unknown[] = [];
  const lost: string[] = [];
  for await (const entry of reader.entries({ onDamaged: (error) => errors.push(error) })) {
    const file = Buffer.from(entry.path).toString();
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of reader.content(entry)) chunks.push(Uint8Array.from(chunk));
      expect(Buffer.concat(chunks).equals(contents.get(reader.manifest.backup)!.get(file)!)).toBe(true);
      whole.push(file);
    } catch (error) {
      errors.push(error);
      lost.push(file);
    }
  }
  return { whole, lost, errors };
}

describe.each(['encrypted', 'plain'])('a damaged repository that is %s', (kind) => {
  const keys: UnlockKey[] = kind === 'encrypted' ? [parseKeyFile(newKeyFile())] : [];
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let pristine: string;
  let objects: string[];
  let root: string;
  let copies = 0;

  beforeAll(async () => {
    folder = await temporaryFolder();
    pristine = path.join(folder.path, 'pristine');
    const repository = await initialiseRepository(pristine, { keys, installation: 'here' });
    const collection = repository.collection('c');
    const full = await collection.beginBackup(planOf('full'), { packBytes: 384 * KIB });
    await addTree(full, tree);
    full.warn({ path: Buffer.from('x'), code: 'FILE_VANISHED', message: 'x went away' });
    await full.finish();
    const plan = planOf('inc', { type: 'incremental', parent: 'full' });
    const incremental = await collection.beginBackup(plan);
    await addTree(incremental, changed, (file) => file !== 'b.db');
    await incremental.finish();
    await repository.close();
    objects = (await objectsIn(pristine)).filter((name) => name.startsWith('c/'));
  });
  afterAll(() => folder.remove());
  beforeEach(async () => {
    root = path.join(folder.path, `copy-${copies++}`);
    await cp(pristine, root, { recursive: true });
  });

  async function withCollection<T>(work: (collection: Collection) => Promise<T>, at = root): Promise<T> {
    const repository = await openRepository(at, { keys });
    try {
      return await work(repository.collection('c'));
    } finally {
      await repository.close();
    }
  }
  const verify = (depth: 'presence' | 'checksums' = 'checksums') =>
    withCollection((collection) => collection.verify({ depth }));
  const verifyWithoutKey = async () => {
    const repository = await openRepository(root, { keys: [] });
    try {
      return await repository.collection('c').verify({ depth: 'checksums' });
    } finally {
      await repository.close();
    }
  };
  const binary = () => objects.filter((name) => /(pack|map|tree)-\d+$/.test(name));
  const manifests = () => objects.filter((name) => name.endsWith('manifest.json'));
  const names = (report: VerifyReport) => report.damages.map((damage: Damage) => damage.object);

  /** Verification and restore must agree: what restores is right, and what does not is in the report. */
  async function expectNamed(report: VerifyReport): Promise<void> {
    await withCollection(async (collection) => {
      for (const backup of ['full', 'inc']) {
        let reader: BackupReader;
        try {
          reader = await collection.openBackup(backup);
        } catch (error) {
          expect(error).toBeInstanceOf(CatenaError);
          continue;
        }
        const { lost, errors } = await readWhatIsThere(reader);
        for (const error of errors) {
          expect(error).toBeInstanceOf(DamagedObjectError);
          expect((error as DamagedObjectError).damage.backups).toContain(backup);
          expect(names(report)).toContain((error as DamagedObjectError).damage.object);
        }
        const hit = report.damages.filter((damage) => damage.backups.includes(backup));
        const named = hit.flatMap((damage) => damage.files);
        for (const file of lost) expect(named).toContain(file);
        await reader.close();
      }
    });
  }

  it('has objects of every kind to damage', () => {
    expect(binary().length).toBeGreaterThanOrEqual(6);
    for (const part of ['pack-', 'map-', 'tree-', 'manifest.json', 'LATEST/', 'runs/', 'run.json'])
      expect(objects.some((name) => name.includes(part))).toBe(true);
    if (kind === 'encrypted') expect(objects.some((name) => name.includes('/keys/'))).toBe(true);
  });

  it('without damage is found whole, at both depths, with and without the key', async () => {
    for (const depth of ['presence', 'checksums'] as const) {
      expect(await verify(depth)).toMatchObject({ damages: [], objects: binary().length, opened: true });
      const repository = await openRepository(root);
      const report = await repository.collection('c').verify({ depth });
      expect(report).toMatchObject({ damages: [], objects: binary().length, opened: kind === 'plain' });
      await repository.close();
    }
  });

  if (kind === 'encrypted')
    it('names a lost folder of keyrings with every backup it hits; without a backup there is none to lose', async () => {
      for (const object of objects.filter((name) => name.startsWith('c/keys/')))
        await removeObject(root, object);
      expect((await verify('checksums')).damages).toContainEqual({
        ...{ object: 'c/keys/', reason: 'missing', files: [] },
        backups: expect.arrayContaining(['full', 'inc']) as unknown,
      });
      const repository = await openRepository(root, { keys });
      const report = await repository.collection('nothing yet').verify({ depth: 'checksums' });
      expect(report).toMatchObject({ damages: [], backups: [] });
      await repository.close();
    });

  it('with one bit flipped anywhere in an object names the object, and what is not hit restores', async () => {
    for (const object of binary())
      for (const at of [0, 0.001, 0.3, 0.6, 0.999]) {
        await flipBit(root, object, at);
        const report = await verify();
        expect(names(report)).toEqual([object]);
        await expectNamed(report);
        await cp(path.join(pristine, object), path.join(root, object), { force: true });
      }
  });

  it('is found damaged without the key as well', async () => {
    for (const object of binary()) {
      await flipBit(root, object, 0.5);
      const repository = await openRepository(root);
      expect(names(await repository.collection('c').verify({ depth: 'checksums' }))).toEqual([object]);
      await repository.close();
      await cp(path.join(pristine, object), path.join(root, object), { force: true });
    }
  });

  it('with an object cut short or gone names it, already by presence', async () => {
    for (const [damage, reason] of [
      [cutInHalf, 'truncated'],
      [removeObject, 'missing'],
    ] as const)
      for (const object of binary()) {
        await damage(root, object);
        for (const depth of ['presence', 'checksums'] as const) {
          const report = await verify(depth);
          expect(report.damages).toContainEqual(expect.objectContaining({ object, reason }));
          await expectNamed(report);
        }
        await cp(path.join(pristine, object), path.join(root, object), { force: true });
      }
  });

  it('with two objects swapped names both', async () => {
    for (const word of ['pack-', 'map-', 'tree-']) {
      const [one, two] = binary().filter((name) => name.includes(word)) as [string, string];
      await swapObjects(root, one, two);
      const report = await verify();
      expect(names(report)).toEqual(expect.arrayContaining([one, two]));
      await expectNamed(report);
      await swapObjects(root, one, two);
    }
  });

  it('names the manifest that is damaged, lists the others, and reads them', async () => {
    for (const manifest of manifests()) {
      await flipBit(root, manifest, 0.5);
      await withCollection(async (collection) => {
        const found: string[] = [];
        for await (const item of collection.listBackups())
          found.push('manifest' in item ? item.manifest.backup : `damaged ${item.name}`);
        expect(found).toHaveLength(2);
        expect(found).toContain(`damaged ${manifest}`);
      });
      expect(names(await verify())).toContain(manifest);
      await cp(path.join(pristine, manifest), path.join(root, manifest), { force: true });
    }
  });

  it('notices manifests that were swapped', async () => {
    const [one, two] = manifests() as [string, string];
    await swapObjects(root, one, two);
    expect(names(await verify())).toEqual(expect.arrayContaining([one, two]));
  });

  it('refuses every other document that is damaged, by name', async () => {
    const documents = objects.filter((name) => name.endsWith('.json') && !name.endsWith('manifest.json'));
    for (const document of documents) {
      await flipBit(root, document, 0.4);
      const use = withCollection(async (collection) => {
        await collection.latest();
        await collection.findManifest('run-full');
        await collection.findManifest('run-inc');
        await (await collection.openBackup('inc')).close();
      });
      if (document.endsWith('/run.json'))
        await use; // only asked for when a folder is claimed
      else await expect(use).rejects.toMatchObject({ code: 'vault.damaged', damage: { object: document } });
      await cp(path.join(pristine, document), path.join(root, document), { force: true });
    }
  });

  it('is made good from a copy, without overwriting anything', async () => {
    const packs = binary().filter((name) => name.includes('pack-'));
    await flipBit(root, packs[0]!, 0.3);
    await flipBit(
      root,
      binary().find((name) => name.includes('tree-'))!,
      0.3,
    );
    await removeObject(root, packs[1]!);
    const { damages } = await verify();
    expect(damages).toHaveLength(3);
    const mend = (damage: Damage) =>
      withCollection((copy) => withCollection((collection) => collection.repair(damage, copy)), pristine);
    for (const damage of damages) expect(await mend(damage)).toBe(true);
    expect((await verify()).damages).toEqual([]);
    expect((await verifyWithoutKey()).damages).toEqual([]);
    await withCollection(async (collection) => {
      for (const backup of ['full', 'inc'])
        expect((await readWhatIsThere(await collection.openBackup(backup))).errors).toEqual([]);
    });
    expect(await mend({ ...damages[0]!, object: 'c/no/such' })).toBe(false);
  });

  it('is not made good by an overlay that is damaged itself, with a key and without', async () => {
    const pack = binary().find((name) => name.includes('pack-'))!;
    await flipBit(root, pack, 0.3);
    const { damages } = await verify();
    await withCollection(
      (copy) => withCollection((collection) => collection.repair(damages[0]!, copy)),
      pristine,
    );
    const overlay = (await objectsIn(root)).find((name) => name.includes('/repairs/'))!;
    await flipBit(root, overlay, 0.5);
    expect(names(await verify())).toEqual([pack]);
    expect(names(await verifyWithoutKey())).toEqual([pack]);
  });

  it('keeps a record of what verification found, without the names of files', async () => {
    await flipBit(
      root,
      binary().find((name) => name.includes('pack-'))!,
      0.3,
    );
    await withCollection(async (collection) => {
      await collection.verify({ depth: 'presence', recordAs: 'tests' });
      const report = await collection.verify({ depth: 'checksums', recordAs: 'tests' });
      expect(report.damages[0]?.files.length).toBeGreaterThan(0);
      const records = [];
      for await (const record of collection.verifications()) records.push(record);
      expect(records.map((record) => record.depth).sort()).toEqual(['checksums', 'presence']);
      const found = records.find((record) => record.depth === 'checksums');
      expect(found?.damages).toMatchObject([{ object: report.damages[0]?.object, files: [] }]);
    });
  });

  if (kind === 'encrypted')
    it('notices a manifest that was rewritten by somebody without the key', async () => {
      const object = manifests().find((name) => !name.includes('-incremental/'))!;
      const file = path.join(root, object);
      const { seal, ...manifest } = JSON.parse(await readFile(file, 'utf8')) as Record<string, JsonValue>;
      const rewritten = { ...manifest, warnings: 0 };
      const sha256 = hash('sha256', canonicalJson(rewritten));
      await writeFile(file, JSON.stringify({ ...rewritten, seal: { ...(seal as object), sha256 } }));
      await withCollection(async (collection) => {
        await expect(collection.openBackup('full')).rejects.toThrow(DamagedObjectError);
      });
      expect(names(await verify())).toEqual([object]);
    });
});
