/** What comes back of a nasty tree, on every file system that can be mounted here, as others see it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { FolderHandle } from '../system-calls/index.ts';
import { differencesForOthers } from '../testing/as-others-see.ts';
import { InMemoryVaultFake } from '../testing/in-memory-vault-fake.ts';
import { canMount, canMountType, hasProgram, MountedFileSystem } from '../testing/loop-device.ts';
import { makeFlagged, makeNastyTree } from '../testing/nasty-tree.ts';
import { letClockTick, ScratchFolder } from '../testing/sample-tree.ts';
import { compareTrees, compareWithBackup } from './comparing/compare-trees.ts';
import { filesDriver } from './files-driver.ts';

/** `npm run test:long` tries more of them. */
const types = process.env['CATENA_TEST_LONG'] === '1' ? ['ext4', 'xfs', 'btrfs', 'tmpfs'] : ['ext4', 'tmpfs'];

describe.each(types)('a nasty tree on %s (needs root and mkfs)', (type) => {
  const test = canMountType(type) ? it : it.skip;
  let scratch: ScratchFolder;
  let mounted: MountedFileSystem;
  let vault: InMemoryVaultFake;
  let source: string;
  let target: string;
  let full: string;

  beforeAll(async () => {
    if (!canMountType(type)) return;
    scratch = new ScratchFolder();
    vault = new InMemoryVaultFake();
    mounted = new MountedFileSystem(type, scratch.at('disk'), scratch.at('mount'));
    source = scratch.at('mount', 'source');
    target = scratch.at('mount', 'restored');
    makeNastyTree(source);
    await letClockTick();
    const writer = vault.begin();
    const outcome = await filesDriver.backup({ path: source }, writer);
    expect(writer.warnings).toEqual([]);
    full = (await writer.finish(outcome.summary)).backupId;
    const restored = await filesDriver.restore(vault.open(full), target, { run: 'run' });
    expect(restored.warnings).toEqual([]);
  });
  afterAll(() => {
    if (!canMountType(type)) return;
    mounted.remove();
    scratch.remove();
  });

  test('comes back exactly, as compareTrees sees it', async () => {
    expect(await compareTrees(source, target)).toEqual([]);
    expect(await compareWithBackup(vault.open(full), target)).toEqual([]);
  });

  const others = hasProgram('rsync') ? test : it.skip;
  others('comes back exactly, as rsync -aHAX and tar --xattrs --acls --sparse see it (needs rsync)', () => {
    expect(differencesForOthers(source, target)).toEqual([]);
  });

  test('has holes where it had them', () => {
    for (const name of fs.readdirSync(`${source}/holes`)) {
      const [was, is] = [source, target].map((tree) => fs.statSync(`${tree}/holes/${name}`).blocks) as [
        number,
        number,
      ];
      // A file system may allocate ahead, and zeros that were written become a hole.
      expect({ name, more: is > was + 128 }).toEqual({ name, more: false });
    }
  });

  test('is read no second time when nothing has changed', async () => {
    const writer = vault.begin(full);
    expect(await filesDriver.backup({ path: source }, writer)).toMatchObject({ bytesRead: 0, warnings: 0 });
    expect(writer.read).toEqual([]);
  });

  test('is not touched by a restore over itself', async () => {
    const ctimes = (): string =>
      spawnSync('find', [target, '-maxdepth', '2', '-printf', '%P %C@\\n'], { encoding: 'latin1' }).stdout;
    const before = ctimes();
    const again = await filesDriver.restore(vault.open(full), target, { run: 'again', overwrite: true });
    expect(again).toMatchObject({ bytesWritten: 0, warnings: [] });
    // The folder that held the staging was touched, the tree was not.
    expect(ctimes()).toBe(before);
  });

  test('keeps chattr +i and +a where the file system has them', async () => {
    const flagged = scratch.at('mount', 'flagged');
    fs.mkdirSync(flagged);
    using top = FolderHandle.open(Buffer.from(flagged));
    const has = makeFlagged(top);
    const again = scratch.at('mount', 'flagged again');
    try {
      expect(has).toBe(type !== 'tmpfs' || has);
      const writer = vault.begin();
      await filesDriver.backup({ path: flagged }, writer);
      expect(writer.warnings).toEqual([]);
      const { backupId } = await writer.finish();
      const outcome = await filesDriver.restore(vault.open(backupId), again, { run: 'flags' });
      expect(outcome.warnings).toEqual([]);
      expect(await compareTrees(flagged, again)).toEqual([]);
      const once = await filesDriver.restore(vault.open(backupId), again, { run: 'once', overwrite: true });
      expect(once).toMatchObject({ bytesWritten: 0, warnings: [] });
    } finally {
      spawnSync('chattr', ['-R', '-i', '-a', flagged, again]);
    }
  });
});

(canMount ? describe : describe.skip)('mounts inside a tree (needs root)', () => {
  it('of the tree itself are walked to their end, and left out by oneFileSystem only where the file system is another', async () => {
    using scratch = new ScratchFolder();
    scratch.write('source/a/file', 'in a');
    scratch.write('source/loop/hidden', 'beneath the mount');
    fs.mkdirSync(scratch.at('source', 'other'));
    const mount = (...args: string[]) => expect(spawnSync('mount', args).status).toBe(0);
    mount('--bind', scratch.at('source'), scratch.at('source', 'loop'));
    mount('-t', 'tmpfs', 'tmpfs', scratch.at('source', 'other'));
    try {
      fs.writeFileSync(scratch.at('source', 'other', 'inside'), 'on another file system');
      const vault = new InMemoryVaultFake();
      const paths = async (more: object): Promise<string[]> => {
        const writer = vault.begin();
        await filesDriver.backup({ path: scratch.at('source'), ...more }, writer);
        const found: string[] = [];
        const reader = vault.open((await writer.finish()).backupId);
        for await (const { path } of reader.entries()) found.push(Buffer.from(path).toString());
        return found;
      };
      const everywhere = [
        '',
        'a',
        'a/file',
        'loop',
        'loop/a',
        'loop/a/file',
        'loop/loop',
        'loop/loop/hidden',
        'loop/other',
      ];
      expect(await paths({ oneFileSystem: true })).toEqual([...everywhere, 'other']);
      expect(await paths({})).toEqual([...everywhere, 'other', 'other/inside']);
    } finally {
      spawnSync('umount', [scratch.at('source', 'loop')]);
      spawnSync('umount', [scratch.at('source', 'other')]);
    }
  });
});
