import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BackupReader, Entry, Manifest, StoredEntry } from '@catena/vault';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import type { RestoreOptions } from '../../port/source-driver.ts';
import { InMemoryVaultFake, type FakeReader } from '../../testing/in-memory-vault-fake.ts';
import { isRoot, makeSampleTree, ScratchFolder, seededBytes } from '../../testing/sample-tree.ts';
import { compareTrees, compareWithBackup } from '../comparing/compare-trees.ts';
import { filesDriver } from '../files-driver.ts';
import { discardStaged, FilesRestore } from './restore-files.ts';
import type { RestoreMoments } from './stage.ts';

let scratch: ScratchFolder;
let vault: InMemoryVaultFake;
let source: string;
let target: string;
beforeEach(() => {
  scratch = new ScratchFolder();
  vault = new InMemoryVaultFake();
  source = scratch.at('source');
  target = scratch.at('place', 'target');
});
afterEach(() => scratch.remove());

/** Writes the source, name by name, and backs it up. */
async function backedUp(files: Record<string, string>): Promise<string> {
  for (const [name, content] of Object.entries(files)) scratch.write(`source/${name}`, content);
  const writer = vault.begin();
  await filesDriver.backup({ path: source }, writer);
  return (await writer.finish()).backupId;
}

type Forged = Partial<Entry> & { path: Uint8Array };

/** A backup that no driver would make and no vault would take. */
function forged(entries: readonly Forged[]): BackupReader {
  const sha256 = createHash('sha256').update('forged').digest();
  const stored: StoredEntry[] = entries.map((entry) => ({
    kind: 'file',
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: 1n,
    ctime: 1n,
    inode: 1n,
    device: 1n,
    size: 0n,
    readAt: 2n,
    ...entry,
    ...((entry.kind ?? 'file') === 'file' && entry.hardLink === undefined
      ? { content: { size: 6n, sha256, cut: { kind: 'fixed', blockSize: 8192 }, encoded: sha256 } }
      : {}),
  }));
  const later = async function* <T>(items: readonly T[]) {
    await Promise.resolve();
    yield* items;
  };
  return {
    manifest: { statistics: { files: 1, bytes: 6 } } as Manifest,
    entries: () => later(stored),
    find: (path) => Promise.resolve(stored.find((entry) => Buffer.compare(entry.path, path) === 0)),
    content: () => later([Buffer.from('forged')]),
    contentRange: () => Promise.resolve(Buffer.from('forged')),
    warnings: () => later([]),
    close: () => Promise.resolve(),
  };
}

function restore(
  reader: string | BackupReader,
  options: Partial<RestoreOptions> = {},
  moments: RestoreMoments = {},
  to = target,
) {
  const opened = typeof reader === 'string' ? vault.open(reader) : reader;
  return new FilesRestore(opened, to, { run: 'run', ...options }, moments).run();
}

const read = (...names: string[]) => fs.readFileSync(scratch.at('place', 'target', ...names), 'utf8');
const besideTarget = () => fs.readdirSync(scratch.at('place')).filter((name) => name !== 'target');
const fail = (message: string) => () => {
  throw new Error(message);
};

describe('a restore to another place', () => {
  it('shows nothing under the final name before everything is there', async () => {
    const id = await backedUp({ a: 'a', 'b/c': 'c' });
    let seen: string[] | undefined;
    await restore(id, {}, { staged: () => (seen = fs.readdirSync(scratch.at('place'))) });
    expect(seen).toEqual(['.target.catena-restore-run']);
    expect(fs.readdirSync(scratch.at('place'))).toEqual(['target']);
    expect(await compareTrees(source, target)).toEqual([]);
  });

  it('makes the folders above the target, and removes them again when it fails', async () => {
    const id = await backedUp({ a: 'a' });
    const deep = scratch.at('place', 'x', 'y', 'target');
    await expect(restore(id, {}, { staged: fail('no') }, deep)).rejects.toThrow('no');
    expect(fs.existsSync(scratch.at('place'))).toBe(false);
    await restore(id, {}, {}, deep);
    expect(await compareTrees(source, deep)).toEqual([]);
  });

  it('takes an empty folder that is there', async () => {
    const id = await backedUp({ a: 'a' });
    fs.mkdirSync(target, { recursive: true });
    await restore(id);
    expect(await compareTrees(source, target)).toEqual([]);
  });

  it('does not take what somebody has put there meanwhile', async () => {
    const id = await backedUp({ a: 'a' });
    const staged = () => void scratch.write('place/target/other', 'mine');
    await expect(restore(id, {}, { staged })).rejects.toMatchObject({ code: 'restore.targetExists' });
    expect(fs.readdirSync(target)).toEqual(['other']);
    expect(besideTarget()).toEqual([]);
  });

  it('restores a source that is one file', async () => {
    fs.writeFileSync(source, 'single');
    const writer = vault.begin();
    await filesDriver.backup({ path: source }, writer);
    const { backupId } = await writer.finish();
    await restore(backupId);
    expect(await compareTrees(source, target)).toEqual([]);
    await expect(restore(backupId, { run: '2' })).resolves.toMatchObject({ unchanged: 1 });
    fs.writeFileSync(target, 'other');
    await expect(restore(backupId, { run: '3' })).rejects.toMatchObject({ code: 'restore.targetExists' });
    await restore(backupId, { run: '4', overwrite: true });
    expect(await compareTrees(source, target)).toEqual([]);
  });

  it('does not let the place it goes to lend its ACL', async () => {
    const id = await backedUp({ a: 'a', 'b/c': 'c' });
    fs.mkdirSync(scratch.at('place'));
    makeSampleTree(scratch.at('sample'));
    // The folder with a default ACL of the sample, whose name is no UTF-8.
    const lender = Buffer.concat([Buffer.from(scratch.at('sample/')), Buffer.from([0xe9, 0x74, 0xe9])]);
    fs.renameSync(lender, scratch.at('lender'));
    await restore(id, {}, {}, scratch.at('lender', 'target'));
    expect(await compareTrees(source, scratch.at('lender', 'target'))).toEqual([]);
  });

  it.each([
    ['is not an absolute path', 'relative/path'],
    ['cannot be used (ENOENT)', '/proc/nowhere/target'],
  ])('is refused when the target %s', async (what, to) => {
    const id = await backedUp({ a: 'a' });
    await expect(restore(id, {}, {}, to)).rejects.toMatchObject({ code: 'restore.targetNotUsable' });
    await expect(restore(id, {}, {}, to)).rejects.toThrow(what);
  });

  it('is refused when the target is a link to nothing', async () => {
    const id = await backedUp({ a: 'a' });
    fs.mkdirSync(scratch.at('place'));
    fs.symlinkSync(scratch.at('elsewhere'), target);
    await expect(restore(id)).rejects.toMatchObject({ code: 'restore.targetNotUsable' });
    expect(fs.existsSync(scratch.at('elsewhere'))).toBe(false);
  });

  it('is refused when it does not fit, and says what is needed', async () => {
    const id = await backedUp({ a: 'a' });
    const reader = vault.open(id);
    const { manifest } = reader;
    const statistics = { ...manifest.statistics, bytes: 2 ** 52 };
    Object.assign(reader, { manifest: { ...manifest, statistics } });
    await expect(restore(reader)).rejects.toMatchObject({
      code: 'restore.noSpace',
      details: { needed: 2 ** 52 },
    });
    expect(fs.existsSync(scratch.at('place'))).toBe(false);
  });
});

describe('a restore into what exists', () => {
  const files = { same: 'same', changed: 'old', 'gone/x': 'x', 'new/deep/y': 'y' };
  beforeEach(() => fs.mkdirSync(scratch.at('place')));

  async function existing(): Promise<string> {
    const id = await backedUp(files);
    execFileSync('cp', ['-a', source, target]);
    fs.writeFileSync(scratch.at('place', 'target', 'changed'), 'changed since');
    fs.rmSync(scratch.at('place', 'target', 'gone'), { recursive: true });
    fs.rmSync(scratch.at('place', 'target', 'new', 'deep'), { recursive: true });
    fs.writeFileSync(scratch.at('place', 'target', 'other'), 'not in the backup');
    return id;
  }

  it('is refused when it would change something, before anything is written', async () => {
    const id = await existing();
    const before = execFileSync('ls', ['-lR', '--time-style=full-iso', scratch.at('place')], {
      encoding: 'utf8',
    });
    await expect(restore(id)).rejects.toMatchObject({
      code: 'restore.targetExists',
      details: { path: `${target}/changed` },
    });
    const after = execFileSync('ls', ['-lR', '--time-style=full-iso', scratch.at('place')], {
      encoding: 'utf8',
    });
    expect(after).toBe(before);
  });

  it('is refused for the same size with other content too', async () => {
    const id = await existing();
    fs.writeFileSync(scratch.at('place', 'target', 'changed'), 'odd');
    await expect(restore(id)).rejects.toMatchObject({ code: 'restore.targetExists' });
    expect(besideTarget()).toEqual([]);
    expect(fs.existsSync(scratch.at('place', 'target', 'gone'))).toBe(false);
  });

  it('brings back what is missing without being told to overwrite', async () => {
    const id = await existing();
    const outcome = await restore(id, { globs: ['gone', 'new/**', 'same'] });
    expect(outcome).toMatchObject({ files: 3, unchanged: 1, bytesWritten: 2 });
    expect(read('gone', 'x') + read('new', 'deep', 'y') + read('changed')).toBe('xychanged since');
  });

  it('replaces when told to, writes only what differs and leaves what is not in the backup', async () => {
    const id = await existing();
    const inode = fs.statSync(scratch.at('place', 'target', 'same')).ino;
    const outcome = await restore(id, { overwrite: true });
    expect(outcome).toMatchObject({ files: 4, unchanged: 1, bytesWritten: 5 });
    expect(read('other')).toBe('not in the backup');
    expect(fs.statSync(scratch.at('place', 'target', 'same')).ino).toBe(inode);
    fs.rmSync(scratch.at('place', 'target', 'other'));
    expect(await compareWithBackup(vault.open(id), target, { ignore: ['mtime'] })).toEqual([]);
    expect(besideTarget()).toEqual([]);
  });

  it('works in place, and corrects metadata without touching content', async () => {
    const id = await backedUp(files);
    fs.chmodSync(scratch.at('source', 'same'), 0o600);
    fs.utimesSync(scratch.at('source', 'gone'), 1, 1);
    const outcome = await restore(id, { overwrite: true }, {}, source);
    expect(outcome).toMatchObject({ bytesWritten: 0, unchanged: 4 });
    expect(await compareWithBackup(vault.open(id), source)).toEqual([]);
  });

  it('puts a folder where a file is when told to, never the other way round', async () => {
    const id = await backedUp(files);
    fs.mkdirSync(target);
    fs.writeFileSync(scratch.at('place', 'target', 'gone'), 'a file');
    await restore(id, { overwrite: true });
    expect(read('gone', 'x')).toBe('x');
    fs.rmSync(scratch.at('place', 'target', 'same'));
    fs.mkdirSync(scratch.at('place', 'target', 'same'));
    await expect(restore(id, { overwrite: true })).rejects.toMatchObject({ code: 'restore.kindConflict' });
  });

  it('joins hard links again', async () => {
    scratch.write('source/a', 'group');
    scratch.write('source/z/c', 'c');
    fs.linkSync(scratch.at('source', 'a'), scratch.at('source', 'b'));
    fs.linkSync(scratch.at('source', 'a'), scratch.at('source', 'z', 'd'));
    const id = await backedUp({});
    execFileSync('cp', ['-a', '--no-preserve=links', source, target]);
    await restore(id, { overwrite: true });
    expect(await compareTrees(source, target)).toEqual([]);
    fs.rmSync(scratch.at('place', 'target', 'a'));
    await restore(id, { run: '2', overwrite: true });
    expect(await compareTrees(source, target)).toEqual([]);
  });
});

describe('a restore of a part', () => {
  it('takes what matches, with the folders it is in as they were', async () => {
    const id = await backedUp({ 'a/b/c.txt': 'c', 'a/d': 'd', 'e.txt': 'e' });
    fs.chmodSync(scratch.at('source', 'a', 'b'), 0o711);
    const again = await backedUp({});
    void id;
    await restore(again, { globs: ['**/c.txt', 'e.*'] });
    expect(await compareTrees(source, target)).toMatchObject([
      { difference: 'missing', path: Buffer.from('a/d') },
    ]);
  });

  it('gives the content to the first selected name of a hard-link group', async () => {
    scratch.write('source/a', 'group');
    for (const name of ['b', 'c']) fs.linkSync(scratch.at('source', 'a'), scratch.at('source', name));
    const id = await backedUp({});
    await restore(id, { globs: ['b', 'c'] });
    expect(fs.readdirSync(target)).toEqual(['b', 'c']);
    expect(read('c')).toBe('group');
    expect(fs.statSync(scratch.at('place', 'target', 'b')).nlink).toBe(2);
  });

  it('is refused when nothing matches', async () => {
    const id = await backedUp({ a: 'a' });
    await expect(restore(id, { globs: ['nothing'] })).rejects.toMatchObject({
      code: 'restore.nothingSelected',
    });
    expect(fs.existsSync(scratch.at('place'))).toBe(false);
  });
});

describe('an interrupted restore', () => {
  const files = { a: 'aaa', b: 'bbb', 'c/d': 'ddd', e: 'eee' };

  /** Fails when the content of `e` is asked for. */
  function failing(id: string): FakeReader {
    const reader = vault.open(id);
    reader.onChunk = (path, chunk) => {
      if (path === 'e') throw new Error('the repository is gone');
      return chunk;
    };
    return reader;
  }

  it('leaves nothing behind when it failed', async () => {
    const id = await backedUp(files);
    await expect(restore(failing(id))).rejects.toThrow('the repository is gone');
    expect(fs.existsSync(scratch.at('place'))).toBe(false);
  });

  it('leaves nothing behind when it was cancelled', async () => {
    const id = await backedUp({ ...files, big: seededBytes(500_000, 1).toString('hex') });
    const cancel = new AbortController();
    const reader = vault.open(id, 10_000);
    reader.onChunk = (path, chunk) => {
      if (path === 'big') cancel.abort(new Error('cancelled by a person'));
      return chunk;
    };
    await expect(restore(reader, { signal: cancel.signal })).rejects.toThrow('cancelled by a person');
    expect(fs.existsSync(scratch.at('place'))).toBe(false);
  });

  it('is continued by the next attempt of the run, which reads only the rest', async () => {
    const id = await backedUp(files);
    await expect(restore(failing(id), { onFailure: 'keep' })).rejects.toThrow('gone');
    expect(besideTarget()).toEqual(['.target.catena-restore-run']);
    const reader = vault.open(id);
    const outcome = await restore(reader);
    expect(reader.read).toEqual(['e']);
    expect(outcome).toMatchObject({ files: 4, bytesWritten: 3 });
    expect(await compareTrees(source, target)).toEqual([]);
    expect(besideTarget()).toEqual([]);
  });

  it('does not trust what an earlier attempt left', async () => {
    const id = await backedUp(files);
    await expect(restore(failing(id), { onFailure: 'keep' })).rejects.toThrow('gone');
    const staging = scratch.at('place', '.target.catena-restore-run');
    fs.writeFileSync(`${staging}/tree/b`, 'BBB');
    fs.rmSync(`${staging}/tree/c/d`);
    fs.writeFileSync(`${staging}/part-1`, 'half');
    fs.writeFileSync(`${staging}/part-7`, 'half');
    await restore(id);
    expect(await compareTrees(source, target)).toEqual([]);
    expect(besideTarget()).toEqual([]);
  });

  it('can be discarded when there will be no further attempt', async () => {
    const id = await backedUp(files);
    await expect(restore(failing(id), { onFailure: 'keep' })).rejects.toThrow('gone');
    discardStaged(target, 'run');
    expect(besideTarget()).toEqual([]);
    discardStaged(scratch.at('nowhere', 'x'), 'run');
    expect(fs.existsSync(scratch.at('nowhere'))).toBe(false);
  });

  it.each([1, 2, 3, 4])(
    'in place, when it ends after %d moves, leaves whole files and is finished by the next attempt',
    async (moves) => {
      const id = await backedUp(files);
      fs.mkdirSync(scratch.at('place'));
      fs.mkdirSync(target);
      for (const name of ['a', 'b']) fs.writeFileSync(scratch.at('place', 'target', name), 'before');
      let moved = 0;
      const moments = {
        moved: () => {
          moved += 1;
          if (moved === moves) throw new Error('killed');
        },
      };
      const options = { overwrite: true, onFailure: 'keep' as const };
      await expect(restore(id, options, moments)).rejects.toThrow('killed');
      for (const name of ['a', 'b']) expect(['before', name.repeat(3)]).toContain(read(name));
      await restore(id, options);
      expect(await compareTrees(source, target)).toEqual([]);
      expect(besideTarget()).toEqual([]);
    },
  );

  it('does not take a damaged file for a good one', async () => {
    const id = await backedUp(files);
    const reader = vault.open(id);
    reader.onChunk = (path, chunk) => (path === 'b' ? Buffer.from('bxb') : chunk);
    await expect(restore(reader)).rejects.toThrow('damaged');
    expect(fs.existsSync(scratch.at('place'))).toBe(false);
  });

  it('closes every file it opened', async () => {
    const id = await backedUp(files);
    const before = fs.readdirSync('/proc/self/fd').length;
    await expect(restore(failing(id))).rejects.toThrow('gone');
    await restore(id);
    await restore(id, { overwrite: true });
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('what must never happen', () => {
  const folder = { kind: 'folder' as const };
  const path = (text: string) => Buffer.from(text);

  it.each([
    ['..', [{ path: path(''), ...folder }, { path: path('..'), ...folder }, { path: path('../evil') }]],
    ['an absolute path', [{ path: path(''), ...folder }, { path: path('/evil') }]],
    ['a dot', [{ path: path(''), ...folder }, { path: path('a/./evil') }]],
    ['an empty name', [{ path: path(''), ...folder }, { path: path('a//evil') }]],
    ['a NUL', [{ path: path(''), ...folder }, { path: path('evil\0.txt') }]],
    ['no folder above', [{ path: path(''), ...folder }, { path: path('a/evil') }]],
    [
      'a link as the folder above',
      [
        { path: path(''), ...folder },
        { path: path('a'), kind: 'symlink' as const, linkTarget: path('/tmp') },
        { path: path('a/evil') },
      ],
    ],
    [
      'a hard link out of the tree',
      [
        { path: path(''), ...folder },
        { path: path('a'), kind: 'fifo' as const, hardLink: path('../evil') },
      ],
    ],
  ] as [string, Forged[]][])('a backup with %s writes nothing', async (_, entries) => {
    fs.mkdirSync(scratch.at('place'));
    await expect(restore(forged(entries))).rejects.toMatchObject({ code: 'restore.unsafePath' });
    expect(fs.readdirSync(scratch.at('place'))).toEqual([]);
  });

  it('a link at the target in place of a folder leads a restore elsewhere', async () => {
    const id = await backedUp({ 'a/b': 'b' });
    fs.mkdirSync(target, { recursive: true });
    fs.mkdirSync(scratch.at('elsewhere'));
    fs.symlinkSync(scratch.at('elsewhere'), scratch.at('place', 'target', 'a'));
    await expect(restore(id, { overwrite: true })).rejects.toMatchObject({ code: 'restore.linkInTheWay' });
    expect(fs.readdirSync(scratch.at('elsewhere'))).toEqual([]);
  });

  it('a link that appears after everything was staged leads a restore elsewhere', async () => {
    const id = await backedUp({ 'a/b': 'b', 'a/c': 'c' });
    scratch.write('place/target/a/c', 'old');
    fs.mkdirSync(scratch.at('elsewhere'));
    const staged = (): void => {
      fs.rmSync(scratch.at('place', 'target', 'a'), { recursive: true });
      fs.symlinkSync(scratch.at('elsewhere'), scratch.at('place', 'target', 'a'));
    };
    await expect(restore(id, { overwrite: true }, { staged })).rejects.toMatchObject({
      code: 'restore.targetChanged',
    });
    expect(fs.readdirSync(scratch.at('elsewhere'))).toEqual([]);
  });

  it('a link at the target in place of a file is followed', async () => {
    const id = await backedUp({ a: 'restored' });
    fs.mkdirSync(target, { recursive: true });
    scratch.write('elsewhere', 'mine');
    fs.symlinkSync(scratch.at('elsewhere'), scratch.at('place', 'target', 'a'));
    await restore(id, { overwrite: true });
    expect(read('a')).toBe('restored');
    expect(fs.lstatSync(scratch.at('place', 'target', 'a')).isFile()).toBe(true);
    expect(fs.readFileSync(scratch.at('elsewhere'), 'utf8')).toBe('mine');
  });

  it.each([
    ['a link', (at: string) => fs.symlinkSync('/tmp', at)],
    ['a folder others may look into', (at: string) => fs.mkdirSync(at, { mode: 0o755 })],
  ])('%s is taken for a staging folder', async (_, make) => {
    const id = await backedUp({ a: 'a' });
    fs.mkdirSync(scratch.at('place'));
    make(scratch.at('place', '.target.catena-restore-run'));
    await expect(restore(id, { onFailure: 'keep' })).rejects.toThrow();
    expect(fs.existsSync(target)).toBe(false);
  });

  it('a run with an odd id stages somewhere else', async () => {
    const id = await backedUp({ a: 'a' });
    let seen: string[] = [];
    await restore(id, { run: '../../x' }, { staged: () => (seen = besideTarget()) });
    expect(seen).toEqual([expect.stringMatching(/^\.target\.catena-restore-[0-9a-f]{32}$/)]);
  });
});

(isRoot ? describe : describe.skip)('owners', () => {
  it('go by name where the name is known here, else by id, or always by id', async () => {
    fs.mkdirSync(source);
    const id = forged([
      { path: Buffer.from(''), kind: 'folder', uid: 4000, gid: 4001 },
      { path: Buffer.from('known'), uid: 4000, gid: 4001, user: 'nobody', group: 'nogroup' },
      { path: Buffer.from('unknown'), uid: 4000, gid: 4001, user: 'no such user', group: 'no such group' },
    ]);
    const owner = (name: string) => {
      const { uid, gid } = fs.statSync(scratch.at('place', 'target', name));
      return `${uid}:${gid}`;
    };
    await restore(id);
    expect([owner('known'), owner('unknown')]).toEqual(['65534:65534', '4000:4001']);
    await restore(id, { run: '2', overwrite: true, ownership: 'id' });
    expect(owner('known')).toBe('4000:4001');
  });
});

it('tells how far it is', async () => {
  const id = await backedUp({ a: 'aa', 'b/c': 'cccc' });
  const told: string[] = [];
  await restore(id, { progress: ({ files, bytes }) => told.push(`${files} files, ${bytes} bytes`) });
  expect(told.at(-1)).toBe('2 files, 6 bytes');
});
