import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { UnlockKey } from '../index.ts';
import { initialiseRepository, newKeyFile, openRepository, parseKeyFile } from '../index.ts';
import { addTree, planOf, readBackup, readTree, seededBytes, temporaryFolder } from '../testing/index.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const sample = () =>
  new Map<string, Uint8Array>([
    ['empty', new Uint8Array()],
    ['one byte', Buffer.from('x')],
    ['small/a.txt', Buffer.from('hello world\n'.repeat(300))],
    ['small/b.txt', Buffer.from('hello world\n'.repeat(300))],
    ['page', seededBytes(8 * KIB, 1)],
    ['odd', seededBytes(100_001, 2)],
    ['pages.db', seededBytes(3 * MIB + 5, 3)],
    ['zeros.img', Buffer.concat([Buffer.alloc(2 * MIB), seededBytes(9000, 4), Buffer.alloc(MIB)])],
    ['dump.sql', seededBytes(5 * MIB, 5)],
  ]);

describe.each(['encrypted', 'plain'])('a backup in a repository that is %s', (kind) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const keys: UnlockKey[] = kind === 'encrypted' ? [parseKeyFile(newKeyFile())] : [];
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  it('gives back what was put in, and needs no more than folder and key', async () => {
    const repository = await initialiseRepository(folder.path, { keys, installation: 'here' });
    const writer = await repository.collection('photos').beginBackup(planOf('b1'), { packBytes: 2 * MIB });
    await addTree(writer, sample());
    const { manifest, adopted } = await writer.finish();
    await repository.close();
    expect(adopted).toBe(false);
    expect(manifest.statistics.entries).toBe(sample().size);

    const again = await openRepository(folder.path, { keys });
    const reader = await again.collection('photos').openBackup('b1');
    const read = await readTree(reader);
    for (const [path, bytes] of sample()) expect(read.get(path)?.equals(bytes)).toBe(true);
    expect(read.size).toBe(sample().size);
    await reader.close();
    await again.close();
  });

  it('builds chains in which every backup is read through its own map', async () => {
    const repository = await initialiseRepository(folder.path, { keys, installation: 'here' });
    const collection = repository.collection('photos');
    const full = await collection.beginBackup(planOf('b1'));
    await addTree(full, sample());
    await full.finish();

    const changed = new Map(sample());
    const db = Buffer.from(changed.get('pages.db')!);
    seededBytes(8 * KIB, 77).copy(db, 40 * 8 * KIB);
    changed.set('pages.db', db);
    const dump = changed.get('dump.sql')!;
    changed.set(
      'dump.sql',
      Buffer.concat([dump.subarray(0, MIB), Buffer.from('inserted'), dump.subarray(MIB)]),
    );
    changed.delete('odd');
    changed.set('new', seededBytes(20_000, 9));
    const unchanged = (path: string) => !['pages.db', 'dump.sql', 'new'].includes(path);

    for (const [id, type] of [
      ['b2', 'incremental'],
      ['b3', 'differential'],
    ] as const) {
      const origin = type === 'incremental' ? { parent: 'b1' } : { base: 'b1' };
      const writer = await collection.beginBackup(planOf(id, { type, ...origin }));
      await addTree(writer, changed, unchanged);
      const { manifest } = await writer.finish();
      expect(manifest.chain).toBe('b1');
      expect(manifest.backups).toEqual(['b1', id].sort());
      expect(manifest.statistics.bytesNew).toBeLessThan(8 * KIB + 20_000 + 2 * 256 * KIB);
      const read = await readBackup(collection, id);
      expect([...read.keys()].sort()).toEqual([...changed.keys()].sort());
      for (const [path, bytes] of changed) expect(read.get(path)?.equals(bytes)).toBe(true);
    }
    const listed: string[] = [];
    for await (const found of collection.listBackups())
      if ('manifest' in found) listed.push(found.manifest.backup);
    expect(listed.sort()).toEqual(['b1', 'b2', 'b3']);
    expect((await collection.latest())?.backup).toBe('b1');
    await repository.close();
  });
});
