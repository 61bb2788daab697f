import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BackupReader, Entry, Manifest, StoredEntry } from '@catena/vault';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { RestoreScene } from '../../testing/restore-scene.ts';
import { isRoot } from '../../testing/sample-tree.ts';

let scene: RestoreScene;
beforeEach(() => {
  scene = new RestoreScene();
});
afterEach(() => scene.remove());

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
    manifest: { statistics: { files: stored.length, bytes: 6 * stored.length } } as Manifest,
    entries: () => later(stored),
    find: (path) => Promise.resolve(stored.find((entry) => Buffer.compare(entry.path, path) === 0)),
    content: () => later([Buffer.from('forged')]),
    contentRange: () => Promise.resolve(Buffer.from('forged')),
    warnings: () => later([]),
    close: () => Promise.resolve(),
  };
}

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
    fs.mkdirSync(scene.scratch.at('place'));
    await expect(scene.restore(forged(entries))).rejects.toMatchObject({ code: 'restore.unsafePath' });
    expect(fs.readdirSync(scene.scratch.at('place'))).toEqual([]);
  });

  it('a link at the target in place of a folder leads a restore elsewhere', async () => {
    const id = await scene.backedUp({ 'a/b': 'b' });
    fs.mkdirSync(scene.target, { recursive: true });
    fs.mkdirSync(scene.scratch.at('elsewhere'));
    fs.symlinkSync(scene.scratch.at('elsewhere'), scene.scratch.at('place', 'target', 'a'));
    await expect(scene.restore(id, { overwrite: true })).rejects.toMatchObject({
      code: 'restore.linkInTheWay',
    });
    expect(fs.readdirSync(scene.scratch.at('elsewhere'))).toEqual([]);
  });

  it('a link that appears after everything was staged leads a restore elsewhere', async () => {
    const id = await scene.backedUp({ 'a/b': 'b', 'a/c': 'c' });
    scene.scratch.write('place/target/a/c', 'old');
    fs.mkdirSync(scene.scratch.at('elsewhere'));
    const staged = (): void => {
      fs.rmSync(scene.scratch.at('place', 'target', 'a'), { recursive: true });
      fs.symlinkSync(scene.scratch.at('elsewhere'), scene.scratch.at('place', 'target', 'a'));
    };
    await expect(scene.restore(id, { overwrite: true }, { staged })).rejects.toMatchObject({
      code: 'restore.targetChanged',
    });
    expect(fs.readdirSync(scene.scratch.at('elsewhere'))).toEqual([]);
  });

  it('a link at the target in place of a file is followed', async () => {
    const id = await scene.backedUp({ a: 'restored' });
    fs.mkdirSync(scene.target, { recursive: true });
    scene.scratch.write('elsewhere', 'mine');
    fs.symlinkSync(scene.scratch.at('elsewhere'), scene.scratch.at('place', 'target', 'a'));
    await scene.restore(id, { overwrite: true });
    expect(scene.read('a')).toBe('restored');
    expect(fs.lstatSync(scene.scratch.at('place', 'target', 'a')).isFile()).toBe(true);
    expect(fs.readFileSync(scene.scratch.at('elsewhere'), 'utf8')).toBe('mine');
  });

  it.each([
    ['a link', (at: string) => fs.symlinkSync('/tmp', at)],
    ['a folder others may look into', (at: string) => fs.mkdirSync(at, { mode: 0o755 })],
  ])('%s is taken for a staging folder', async (_, make) => {
    const id = await scene.backedUp({ a: 'a' });
    fs.mkdirSync(scene.scratch.at('place'));
    make(scene.scratch.at('place', '.target.catena-restore-run'));
    await expect(scene.restore(id, { onFailure: 'keep' })).rejects.toThrow();
    expect(fs.existsSync(scene.target)).toBe(false);
  });

  it('a run with an odd id stages somewhere else', async () => {
    const id = await scene.backedUp({ a: 'a' });
    let seen: string[] = [];
    await scene.restore(id, { run: '../../x' }, { staged: () => (seen = scene.besideTarget()) });
    expect(seen).toEqual([expect.stringMatching(/^\.target\.catena-restore-[0-9a-f]{32}$/)]);
  });
});

(isRoot ? describe : describe.skip)('owners', () => {
  it('go by name where the name is known here, else by id, or always by id', async () => {
    fs.mkdirSync(scene.source);
    const id = forged([
      { path: Buffer.from(''), kind: 'folder', uid: 4000, gid: 4001 },
      { path: Buffer.from('known'), uid: 4000, gid: 4001, user: 'nobody', group: 'nogroup' },
      { path: Buffer.from('unknown'), uid: 4000, gid: 4001, user: 'no such user', group: 'no such group' },
    ]);
    const owner = (name: string) => {
      const { uid, gid } = fs.statSync(scene.scratch.at('place', 'target', name));
      return `${uid}:${gid}`;
    };
    await scene.restore(id);
    expect([owner('known'), owner('unknown')]).toEqual(['65534:65534', '4000:4001']);
    await scene.restore(id, { run: '2', overwrite: true, ownership: 'id' });
    expect(owner('known')).toBe('4000:4001');
  });
});
