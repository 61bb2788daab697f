import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { FakeReader } from '../../testing/in-memory-vault-fake.ts';
import { canMountType, MountedFileSystem } from '../../testing/loop-device.ts';
import { RestoreScene } from '../../testing/restore-scene.ts';
import { makeSampleTree, seededBytes } from '../../testing/sample-tree.ts';
import { compareTrees, compareWithBackup } from '../comparing/compare-trees.ts';
import { filesDriver } from '../files-driver.ts';
import { discardStaged } from './restore-files.ts';

let scene: RestoreScene;
beforeEach(() => {
  scene = new RestoreScene();
});
afterEach(() => scene.remove());

const fail = (message: string) => () => {
  throw new Error(message);
};

describe('a restore to another place', () => {
  it('shows nothing under the final name before everything is there', async () => {
    const id = await scene.backedUp({ a: 'a', 'b/c': 'c' });
    let seen: string[] | undefined;
    await scene.restore(id, {}, { staged: () => (seen = fs.readdirSync(scene.scratch.at('place'))) });
    expect(seen).toEqual(['.target.catena-restore-run']);
    expect(fs.readdirSync(scene.scratch.at('place'))).toEqual(['target']);
    expect(await compareTrees(scene.source, scene.target)).toEqual([]);
  });

  it('makes the folders above the scene.target, and removes them again when it fails', async () => {
    const id = await scene.backedUp({ a: 'a' });
    const deep = scene.scratch.at('place', 'x', 'y', 'target');
    await expect(scene.restore(id, {}, { staged: fail('no') }, deep)).rejects.toThrow('no');
    expect(fs.existsSync(scene.scratch.at('place'))).toBe(false);
    await scene.restore(id, {}, {}, deep);
    expect(await compareTrees(scene.source, deep)).toEqual([]);
  });

  it('takes an empty folder that is there', async () => {
    const id = await scene.backedUp({ a: 'a' });
    fs.mkdirSync(scene.target, { recursive: true });
    await scene.restore(id);
    expect(await compareTrees(scene.source, scene.target)).toEqual([]);
  });

  it('does not take what somebody has put there meanwhile', async () => {
    const id = await scene.backedUp({ a: 'a' });
    const staged = () => void scene.scratch.write('place/target/other', 'mine');
    await expect(scene.restore(id, {}, { staged })).rejects.toMatchObject({ code: 'restore.targetExists' });
    expect(fs.readdirSync(scene.target)).toEqual(['other']);
    expect(scene.besideTarget()).toEqual([]);
  });

  it('restores a source that is one file', async () => {
    fs.writeFileSync(scene.source, 'single');
    const writer = scene.vault.begin();
    await filesDriver.backup({ path: scene.source }, writer);
    const { backupId } = await writer.finish();
    await scene.restore(backupId);
    expect(await compareTrees(scene.source, scene.target)).toEqual([]);
    await expect(scene.restore(backupId, { run: '2' })).resolves.toMatchObject({ unchanged: 1 });
    fs.writeFileSync(scene.target, 'other');
    await expect(scene.restore(backupId, { run: '3' })).rejects.toMatchObject({
      code: 'restore.targetExists',
    });
    await scene.restore(backupId, { run: '4', overwrite: true });
    expect(await compareTrees(scene.source, scene.target)).toEqual([]);
  });

  it('does not let the place it goes to lend its ACL', async () => {
    const id = await scene.backedUp({ a: 'a', 'b/c': 'c' });
    fs.mkdirSync(scene.scratch.at('place'));
    makeSampleTree(scene.scratch.at('sample'));
    // The folder with a default ACL of the sample, whose name is no UTF-8.
    const lender = Buffer.concat([Buffer.from(scene.scratch.at('sample/')), Buffer.from([0xe9, 0x74, 0xe9])]);
    fs.renameSync(lender, scene.scratch.at('lender'));
    await scene.restore(id, {}, {}, scene.scratch.at('lender', 'target'));
    expect(await compareTrees(scene.source, scene.scratch.at('lender', 'target'))).toEqual([]);
  });

  it.each([
    ['is not an absolute path', 'relative/path'],
    ['cannot be used (ENOENT)', '/proc/nowhere/target'],
  ])('is refused when the target %s', async (what, to) => {
    const id = await scene.backedUp({ a: 'a' });
    await expect(scene.restore(id, {}, {}, to)).rejects.toMatchObject({ code: 'restore.targetNotUsable' });
    await expect(scene.restore(id, {}, {}, to)).rejects.toThrow(what);
  });

  it('is refused when the target is a link to nothing', async () => {
    const id = await scene.backedUp({ a: 'a' });
    fs.mkdirSync(scene.scratch.at('place'));
    fs.symlinkSync(scene.scratch.at('elsewhere'), scene.target);
    await expect(scene.restore(id)).rejects.toMatchObject({ code: 'restore.targetNotUsable' });
    expect(fs.existsSync(scene.scratch.at('elsewhere'))).toBe(false);
  });

  it('is refused when it does not fit, and says what is needed', async () => {
    const id = await scene.backedUp({ a: 'a' });
    const reader = scene.vault.open(id);
    const { manifest } = reader;
    const statistics = { ...manifest.statistics, bytes: 2 ** 52 };
    Object.assign(reader, { manifest: { ...manifest, statistics } });
    await expect(scene.restore(reader)).rejects.toMatchObject({
      code: 'restore.noSpace',
      details: { needed: 2 ** 52 },
    });
    expect(fs.existsSync(scene.scratch.at('place'))).toBe(false);
  });
});

describe('a restore to a disk that is too small', () => {
  const test = canMountType('tmpfs') ? it : it.skip;
  const content = 'x'.repeat(700_000);

  test('that fills up meanwhile says so and leaves nothing', async () => {
    const id = await scene.backedUp({ a: content, b: content, c: content });
    using disk = new MountedFileSystem('tmpfs', '', scene.scratch.at('disk'), ['size=2200k']);
    const reader = scene.vault.open(id);
    const other = fs.openSync(path.join(disk.path, 'of somebody else'), 'w');
    reader.onChunk = (_name, chunk) => {
      fs.writeSync(other, content);
      return chunk;
    };
    const target = path.join(disk.path, 'target');
    try {
      await expect(scene.restore(reader, {}, {}, target)).rejects.toMatchObject({
        code: 'restore.noSpace',
        cause: { code: 'ENOSPC' },
      });
    } finally {
      fs.closeSync(other);
    }
    expect(fs.readdirSync(disk.path)).toEqual(['of somebody else']);
  });

  test('goes on where an earlier attempt has used the space for what is staged', async () => {
    const id = await scene.backedUp({ a: content, b: content });
    using disk = new MountedFileSystem('tmpfs', '', scene.scratch.at('disk'), ['size=2200k']);
    const target = path.join(disk.path, 'target');
    const died = {
      staged: () => {
        throw new Error('died');
      },
    };
    await expect(scene.restore(id, { onFailure: 'keep' }, died, target)).rejects.toThrow('died');
    fs.writeFileSync(path.join(disk.path, 'of somebody else'), content);
    await scene.restore(id, {}, {}, target);
    expect(fs.readFileSync(path.join(target, 'b'), 'utf8')).toBe(content);
  });
});

it('a restore ends when the entries hold more than the manifest says, which the space was checked with', async () => {
  const id = await scene.backedUp({ a: 'a', b: 'bb' });
  const reader = scene.vault.open(id);
  const { manifest } = reader;
  Object.assign(reader, { manifest: { ...manifest, statistics: { ...manifest.statistics, bytes: 2 } } });
  await expect(scene.restore(reader)).rejects.toMatchObject({
    code: 'restore.contentWrong',
    details: { path: 'b' },
  });
  expect(fs.existsSync(scene.scratch.at('place'))).toBe(false);
});

describe('a restore into what exists', () => {
  const files = { same: 'same', changed: 'old', 'gone/x': 'x', 'new/deep/y': 'y' };
  beforeEach(() => fs.mkdirSync(scene.scratch.at('place')));

  async function existing(): Promise<string> {
    const id = await scene.backedUp(files);
    execFileSync('cp', ['-a', scene.source, scene.target]);
    fs.writeFileSync(scene.scratch.at('place', 'target', 'changed'), 'changed since');
    fs.rmSync(scene.scratch.at('place', 'target', 'gone'), { recursive: true });
    fs.rmSync(scene.scratch.at('place', 'target', 'new', 'deep'), { recursive: true });
    fs.writeFileSync(scene.scratch.at('place', 'target', 'other'), 'not in the backup');
    return id;
  }

  it('is refused when it would change something, before anything is written', async () => {
    const id = await existing();
    const before = execFileSync('ls', ['-lR', '--time-style=full-iso', scene.scratch.at('place')], {
      encoding: 'utf8',
    });
    await expect(scene.restore(id)).rejects.toMatchObject({
      code: 'restore.targetExists',
      details: { path: `${scene.target}/changed` },
    });
    const after = execFileSync('ls', ['-lR', '--time-style=full-iso', scene.scratch.at('place')], {
      encoding: 'utf8',
    });
    expect(after).toBe(before);
  });

  it('is refused for the same size with other content too', async () => {
    const id = await existing();
    fs.writeFileSync(scene.scratch.at('place', 'target', 'changed'), 'odd');
    await expect(scene.restore(id)).rejects.toMatchObject({ code: 'restore.targetExists' });
    expect(scene.besideTarget()).toEqual([]);
    expect(fs.existsSync(scene.scratch.at('place', 'target', 'gone'))).toBe(false);
  });

  it('brings back what is missing without being told to overwrite', async () => {
    const id = await existing();
    const outcome = await scene.restore(id, { globs: ['gone', 'new/**', 'same'] });
    expect(outcome).toMatchObject({ files: 3, unchanged: 1, bytesWritten: 2 });
    expect(scene.read('gone', 'x') + scene.read('new', 'deep', 'y') + scene.read('changed')).toBe(
      'xychanged since',
    );
  });

  it('replaces when told to, writes only what differs and leaves what is not in the backup', async () => {
    const id = await existing();
    const inode = fs.statSync(scene.scratch.at('place', 'target', 'same')).ino;
    const outcome = await scene.restore(id, { overwrite: true });
    expect(outcome).toMatchObject({ files: 4, unchanged: 1, bytesWritten: 5 });
    expect(scene.read('other')).toBe('not in the backup');
    expect(fs.statSync(scene.scratch.at('place', 'target', 'same')).ino).toBe(inode);
    fs.rmSync(scene.scratch.at('place', 'target', 'other'));
    expect(await compareWithBackup(scene.vault.open(id), scene.target, { ignore: ['mtime'] })).toEqual([]);
    expect(scene.besideTarget()).toEqual([]);
  });

  it('works in place, and corrects metadata without touching content', async () => {
    const id = await scene.backedUp(files);
    fs.chmodSync(scene.scratch.at('source', 'same'), 0o600);
    fs.utimesSync(scene.scratch.at('source', 'gone'), 1, 1);
    const outcome = await scene.restore(id, { overwrite: true }, {}, scene.source);
    expect(outcome).toMatchObject({ bytesWritten: 0, unchanged: 4 });
    expect(await compareWithBackup(scene.vault.open(id), scene.source)).toEqual([]);
  });

  it('puts a folder where a file is when told to, never the other way round', async () => {
    const id = await scene.backedUp(files);
    fs.mkdirSync(scene.target);
    fs.writeFileSync(scene.scratch.at('place', 'target', 'gone'), 'a file');
    await scene.restore(id, { overwrite: true });
    expect(scene.read('gone', 'x')).toBe('x');
    fs.rmSync(scene.scratch.at('place', 'target', 'same'));
    fs.mkdirSync(scene.scratch.at('place', 'target', 'same'));
    await expect(scene.restore(id, { overwrite: true })).rejects.toMatchObject({
      code: 'restore.kindConflict',
    });
  });

  it('joins hard links again', async () => {
    scene.scratch.write('source/a', 'group');
    scene.scratch.write('source/z/c', 'c');
    fs.linkSync(scene.scratch.at('source', 'a'), scene.scratch.at('source', 'b'));
    fs.linkSync(scene.scratch.at('source', 'a'), scene.scratch.at('source', 'z', 'd'));
    const id = await scene.backedUp({});
    execFileSync('cp', ['-a', '--no-preserve=links', scene.source, scene.target]);
    await scene.restore(id, { overwrite: true });
    expect(await compareTrees(scene.source, scene.target)).toEqual([]);
    fs.rmSync(scene.scratch.at('place', 'target', 'a'));
    await scene.restore(id, { run: '2', overwrite: true });
    expect(await compareTrees(scene.source, scene.target)).toEqual([]);
  });
});

describe('a restore of a part', () => {
  it('takes what matches, with the folders it is in as they were', async () => {
    await scene.backedUp({ 'a/b/c.txt': 'c', 'a/d': 'd', 'e.txt': 'e' });
    fs.chmodSync(scene.scratch.at('source', 'a', 'b'), 0o711);
    const id = await scene.backedUp({});
    await scene.restore(id, { globs: ['**/c.txt', 'e.*'] });
    expect(await compareTrees(scene.source, scene.target)).toMatchObject([
      { difference: 'missing', path: Buffer.from('a/d') },
    ]);
  });

  it('gives the content to the first selected name of a hard-link group', async () => {
    scene.scratch.write('source/a', 'group');
    for (const name of ['b', 'c'])
      fs.linkSync(scene.scratch.at('source', 'a'), scene.scratch.at('source', name));
    const id = await scene.backedUp({});
    await scene.restore(id, { globs: ['b', 'c'] });
    expect(fs.readdirSync(scene.target)).toEqual(['b', 'c']);
    expect(scene.read('c')).toBe('group');
    expect(fs.statSync(scene.scratch.at('place', 'target', 'b')).nlink).toBe(2);
  });

  it('is refused when nothing matches', async () => {
    const id = await scene.backedUp({ a: 'a' });
    await expect(scene.restore(id, { globs: ['nothing'] })).rejects.toMatchObject({
      code: 'restore.nothingSelected',
    });
    expect(fs.existsSync(scene.scratch.at('place'))).toBe(false);
  });
});

describe('an interrupted restore', () => {
  const files = { a: 'aaa', b: 'bbb', 'c/d': 'ddd', e: 'eee' };

  /** Fails when the content of `e` is asked for. */
  function failing(id: string): FakeReader {
    const reader = scene.vault.open(id);
    reader.onChunk = (path, chunk) => {
      if (path === 'e') throw new Error('the repository is gone');
      return chunk;
    };
    return reader;
  }

  it('leaves nothing behind when it failed', async () => {
    const id = await scene.backedUp(files);
    await expect(scene.restore(failing(id))).rejects.toThrow('the repository is gone');
    expect(fs.existsSync(scene.scratch.at('place'))).toBe(false);
  });

  it('leaves nothing behind when it was cancelled', async () => {
    const id = await scene.backedUp({ ...files, big: seededBytes(500_000, 1).toString('hex') });
    const cancel = new AbortController();
    const reader = scene.vault.open(id, 10_000);
    reader.onChunk = (path, chunk) => {
      if (path === 'big') cancel.abort(new Error('cancelled by a person'));
      return chunk;
    };
    await expect(scene.restore(reader, { signal: cancel.signal })).rejects.toThrow('cancelled by a person');
    expect(fs.existsSync(scene.scratch.at('place'))).toBe(false);
  });

  it('is continued by the next attempt of the run, which reads only the rest', async () => {
    const id = await scene.backedUp(files);
    await expect(scene.restore(failing(id), { onFailure: 'keep' })).rejects.toThrow('gone');
    expect(scene.besideTarget()).toEqual(['.target.catena-restore-run']);
    const reader = scene.vault.open(id);
    const outcome = await scene.restore(reader);
    expect(reader.read).toEqual(['e']);
    expect(outcome).toMatchObject({ files: 4, bytesWritten: 3 });
    expect(await compareTrees(scene.source, scene.target)).toEqual([]);
    expect(scene.besideTarget()).toEqual([]);
  });

  it('does not trust what an earlier attempt left', async () => {
    const id = await scene.backedUp(files);
    await expect(scene.restore(failing(id), { onFailure: 'keep' })).rejects.toThrow('gone');
    const staging = scene.scratch.at('place', '.target.catena-restore-run');
    fs.writeFileSync(`${staging}/tree/b`, 'BBB');
    fs.rmSync(`${staging}/tree/c/d`);
    fs.writeFileSync(`${staging}/part-1`, 'half');
    fs.writeFileSync(`${staging}/part-7`, 'half');
    await scene.restore(id);
    expect(await compareTrees(scene.source, scene.target)).toEqual([]);
    expect(scene.besideTarget()).toEqual([]);
  });

  it('shows nothing when it may not go on, and asks what becomes of what it has staged', async () => {
    const id = await scene.backedUp(files);
    const superseded = new Error('superseded');
    const asked: unknown[] = [];
    const options = {
      beforeVisible: () => Promise.reject(superseded),
      onFailure: async (error: unknown) => {
        asked.push(error);
        return 'keep' as const;
      },
    };
    await expect(scene.restore(id, options)).rejects.toBe(superseded);
    expect(asked).toContain(superseded);
    expect(fs.existsSync(scene.target)).toBe(false);
    expect(scene.besideTarget()).toEqual(['.target.catena-restore-run']);
  });

  it('can be discarded when there will be no further attempt', async () => {
    const id = await scene.backedUp(files);
    await expect(scene.restore(failing(id), { onFailure: 'keep' })).rejects.toThrow('gone');
    discardStaged(scene.target, 'run');
    expect(scene.besideTarget()).toEqual([]);
    discardStaged(scene.scratch.at('nowhere', 'x'), 'run');
    expect(fs.existsSync(scene.scratch.at('nowhere'))).toBe(false);
  });

  it.each([1, 2, 3, 4])(
    'in place, when it ends after %d moves, leaves whole files and is finished by the next attempt',
    async (moves) => {
      const id = await scene.backedUp(files);
      fs.mkdirSync(scene.scratch.at('place'));
      fs.mkdirSync(scene.target);
      for (const name of ['a', 'b']) fs.writeFileSync(scene.scratch.at('place', 'target', name), 'before');
      let moved = 0;
      const moments = {
        moved: () => {
          moved += 1;
          if (moved === moves) throw new Error('killed');
        },
      };
      const options = { overwrite: true, onFailure: 'keep' as const };
      await expect(scene.restore(id, options, moments)).rejects.toThrow('killed');
      for (const name of ['a', 'b']) expect(['before', name.repeat(3)]).toContain(scene.read(name));
      await scene.restore(id, options);
      expect(await compareTrees(scene.source, scene.target)).toEqual([]);
      expect(scene.besideTarget()).toEqual([]);
    },
  );

  it('does not take a damaged file for a good one', async () => {
    const id = await scene.backedUp(files);
    const reader = scene.vault.open(id);
    reader.onChunk = (path, chunk) => (path === 'b' ? Buffer.from('bxb') : chunk);
    await expect(scene.restore(reader)).rejects.toThrow('damaged');
    expect(fs.existsSync(scene.scratch.at('place'))).toBe(false);
  });

  it('closes every file it opened', async () => {
    const id = await scene.backedUp(files);
    await expect(scene.restore(failing(id))).rejects.toThrow('gone');
    await scene.restore(id);
    await scene.restore(id, { overwrite: true });
    expect(scene.scratch.openFiles()).toEqual([]);
  });
});

it('tells how far it is', async () => {
  const id = await scene.backedUp({ a: 'aa', 'b/c': 'cccc' });
  const told: string[] = [];
  await scene.restore(id, { progress: ({ files, bytes }) => told.push(`${files} files, ${bytes} bytes`) });
  expect(told.at(-1)).toBe('2 files, 6 bytes');
});
