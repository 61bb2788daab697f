import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Repository, UnlockKey } from './index.ts';
import { openRepository, parseKeyFile } from './index.ts';
import { describeBackup } from './testing/describe-backup.ts';
import { fileEntry, bytesReader, planOf, temporaryFolder } from './testing/index.ts';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/vault/', import.meta.url));
const versions = (await readdir(GOLDEN)).filter((name) => /^v\d+(-|$)/.test(name));
const vaults = versions.flatMap((version) => ['encrypted', 'plain'].map((kind) => `${version}/${kind}`));

/** Vaults that earlier programs made stay readable, and can be gone on with. */
describe.each(vaults)('the golden vault %s', (name) => {
  let repository: Repository;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let expected: Record<string, unknown>;
  let keys: UnlockKey[];

  beforeAll(async () => {
    folder = await temporaryFolder();
    const root = path.join(folder.path, 'vault');
    await cp(path.join(GOLDEN, name), root, { recursive: true });
    const keyFile = await readFile(path.join(GOLDEN, path.dirname(name), 'vault.key'), 'utf8');
    keys = name.endsWith('plain') ? [] : [parseKeyFile(keyFile)];
    repository = await openRepository(root, { keys });
    expected = JSON.parse(
      await readFile(path.join(GOLDEN, `${name}.expected.json`), 'utf8'),
    ) as typeof expected;
  });
  afterAll(async () => {
    await repository.close();
    await folder.remove();
  });

  const collection = () => repository.collection('files of anna');

  it('gives back every entry of every backup', async () => {
    expect(await repository.collections()).toEqual(['files of anna']);
    const found: string[] = [];
    for await (const backup of collection().listBackups()) {
      if (!('manifest' in backup)) throw backup.error;
      found.push(backup.manifest.backup);
      const reader = await collection().openBackup({
        backupId: backup.manifest.backup,
        name: backup.ref.name,
      });
      expect(await describeBackup(reader)).toEqual(expected[backup.manifest.backup]);
    }
    expect(found.sort()).toEqual(Object.keys(expected).sort());
  });

  it('verifies, and its records, LATEST, owner and exported log are read', async () => {
    expect((await collection().verify({ depth: 'checksums' })).damages).toEqual([]);
    const newestFull = 'composed-1' in expected ? 'composed-1' : 'full-1';
    expect((await collection().latest())?.backup).toBe(newestFull);
    expect((await repository.owner())?.installation).toBe('golden');
    const records: string[] = [];
    for await (const { depth, by } of collection().verifications()) records.push(`${depth} by ${by}`);
    expect(records).toEqual(['checksums by golden']);
    const pieces: string[] = [];
    for await (const piece of repository.exportedLogs().read('events 1-2')) pieces.push(piece.toString());
    expect(pieces).toEqual(['{"event":1}\n', '{"event":2}\n']);
  });

  it('opens by its passphrase as well', async () => {
    if (keys.length === 0) return;
    const passphrase: UnlockKey = { kind: 'passphrase', passphrase: 'golden passphrase' };
    const again = await openRepository(path.join(folder.path, 'vault'), { keys: [passphrase] });
    await (await again.collection('files of anna').openBackup('inc-2')).close();
    await again.close();
  });

  it('takes a further incremental that stores only what is new', async () => {
    const plan = planOf('later', {
      type: 'incremental',
      parent: 'inc-2',
      startedAt: new Date('2027-01-01T00:00:00Z'),
    });
    const writer = await collection().beginBackup(plan);
    for await (const before of writer.previous())
      await writer.add(before, before.content === undefined ? undefined : { asBefore: before });
    await writer.add(fileEntry('zz', 3), { read: bytesReader(Buffer.from('new')) });
    expect((await writer.finish()).manifest.statistics.bytesNew).toBe(3);
  });
});
