import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { asUser } from '../testing/as-user.ts';
import { InMemoryVaultFake } from '../testing/in-memory-vault-fake.ts';
import { isRoot, letClockTick, makeSampleTree, ScratchFolder } from '../testing/sample-tree.ts';
import { compareTrees, compareWithBackup } from './comparing/compare-trees.ts';
import { filesDriver } from './files-driver.ts';

const hasRsync = spawnSync('rsync', ['--version']).status === 0;

describe('a tree with files of every kind', () => {
  const scratch = new ScratchFolder();
  const vault = new InMemoryVaultFake();
  const source = scratch.at('source');
  const target = scratch.at('restored');
  let backup: string;

  beforeAll(async () => {
    makeSampleTree(source);
    await letClockTick();
    const writer = vault.begin();
    const outcome = await filesDriver.backup({ path: source }, writer);
    expect(writer.warnings).toEqual([]);
    expect(outcome).toMatchObject({ unchanged: 0, warnings: 0 });
    backup = (await writer.finish(outcome.summary)).backupId;
    const restored = await filesDriver.restore(vault.open(backup), target, { run: 'run-1' });
    expect(restored.warnings).toEqual([]);
  });
  afterAll(() => scratch.remove());

  it('comes back exactly, as compareTrees sees it', async () => {
    expect(await compareTrees(source, target)).toEqual([]);
    expect(await compareWithBackup(vault.open(backup), target)).toEqual([]);
  });

  (hasRsync ? it : it.skip)(
    'comes back exactly, as rsync -aHAX --checksum sees it (where it is installed)',
    () => {
      // rsync cannot go as deep as the tree does.
      const options = ['-aHAX', '--checksum', '--dry-run', '--delete', '-i', '--exclude=/deep-*'];
      const { status, stdout, stderr } = spawnSync('rsync', [...options, `${source}/`, `${target}/`], {
        encoding: 'utf8',
      });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    },
  );

  it('leaves no staging folder behind', () => {
    expect(fs.readdirSync(scratch.path).sort()).toEqual(['restored', 'source']);
  });

  it('is sparse where it was', () => {
    expect(fs.statSync(scratch.at('restored', 'sparse')).blocks * 512).toBeLessThan(1_000_000);
  });

  it('needs nothing to be read the next time', async () => {
    const writer = vault.begin(backup);
    const outcome = await filesDriver.backup({ path: source }, writer);
    expect(writer.read).toEqual([]);
    expect(outcome).toMatchObject({ filesRead: 0, bytesRead: 0, warnings: 0 });
    const again = (await writer.finish()).backupId;
    expect(await compareWithBackup(vault.open(again), target)).toEqual([]);
  });

  it('is not rewritten where it is restored over itself', async () => {
    const before = fs.lstatSync(scratch.at('restored', 'big'), { bigint: true });
    const again = await filesDriver.restore(vault.open(backup), target, { run: 'run-2', overwrite: true });
    expect(again.bytesWritten).toBe(0);
    const after = fs.lstatSync(scratch.at('restored', 'big'), { bigint: true });
    expect({ ino: after.ino, ctime: after.ctimeNs }).toEqual({ ino: before.ino, ctime: before.ctimeNs });
    expect(await compareTrees(source, target)).toEqual([]);
  });
});

(isRoot ? describe : describe.skip)('restored by a user who is not root', () => {
  const scratch = new ScratchFolder();
  afterAll(() => scratch.remove());

  it('keeps what it can and lists what it could not', async () => {
    makeSampleTree(scratch.at('source'));
    const vault = new InMemoryVaultFake();
    const writer = vault.begin();
    await filesDriver.backup({ path: scratch.at('source') }, writer);
    const { backupId } = await writer.finish();
    fs.mkdirSync(scratch.at('home'));
    fs.chownSync(scratch.at('home'), 12_345, 12_345);
    fs.chmodSync(scratch.path, 0o755);
    const outcome = await asUser(12_345, () =>
      filesDriver.restore(vault.open(backupId), scratch.at('home', 'out'), { run: 'r' }),
    );
    const warnings = outcome.warnings.map(({ code, path }) => `${code} ${Buffer.from(path).toString()}`);
    const differences = await compareTrees(scratch.at('source'), scratch.at('home', 'out'), {
      ignore: ['owner'],
    });
    expect(
      differences.map(({ difference, path }) => `${difference} ${Buffer.from(path).toString()}`),
    ).toEqual(['missing disk', 'missing null', 'attributes plain.txt', 'mode shebang']);
    expect(warnings).toEqual(
      expect.arrayContaining([
        'restore.deviceNotMade disk',
        'restore.deviceNotMade null',
        'restore.attributeNotKept plain.txt',
        'restore.setIdNotKept shebang',
        'restore.ownerNotKept plain.txt',
      ]),
    );
    expect(fs.readdirSync(scratch.at('home'))).toEqual(['out']);
  });
});
