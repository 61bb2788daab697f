import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { canMount, canMountType, makeFileSystem } from '../testing/loop-device.ts';
import { ScratchFolder } from '../testing/sample-tree.ts';
import { fileSystemIdentity, nameOfMount } from './file-system-identity.ts';

const identityOf = (path: string) => fileSystemIdentity(Buffer.from(path));

/** The identity of what is mounted with these arguments. */
function whileMounted(folder: string, args: readonly string[]): string {
  fs.mkdirSync(folder, { recursive: true });
  execFileSync('mount', [...args, folder]);
  try {
    return identityOf(folder);
  } finally {
    execFileSync('umount', [folder]);
  }
}

describe('the identity of a file system', () => {
  const onDisk = canMountType('ext4') ? it : it.skip;
  const onMount = canMount ? it : it.skip;

  onDisk('is its UUID, wherever and through whatever device it is mounted (needs root)', () => {
    using scratch = new ScratchFolder();
    makeFileSystem('ext4', scratch.at('one'), 8);
    makeFileSystem('ext4', scratch.at('two'), 8);
    fs.copyFileSync(scratch.at('one'), scratch.at('moved'));
    const one = whileMounted(scratch.at('a'), ['-o', 'loop', scratch.at('one')]);
    expect(one).toMatch(/^uuid:[0-9a-f]{32}$/);
    expect(whileMounted(scratch.at('b'), ['-o', 'loop', scratch.at('moved')])).toBe(one);
    expect(whileMounted(scratch.at('a'), ['-o', 'loop', scratch.at('two')])).not.toBe(one);
  });

  onMount('of what has no UUID is the same when it is mounted again (needs root)', () => {
    using scratch = new ScratchFolder();
    const tmpfs = () => whileMounted(scratch.at('a'), ['-t', 'tmpfs', 'scratch-space']);
    const first = tmpfs();
    // A file system in between takes the device number of the first.
    execFileSync('mount', ['-t', 'tmpfs', 'in-between', scratch.at('a')]);
    try {
      expect(whileMounted(scratch.at('b'), ['-t', 'tmpfs', 'scratch-space'])).toBe(first);
    } finally {
      execFileSync('umount', [scratch.at('a')]);
    }
    expect(first).toMatch(/^tmpfs:scratch-space/);
    expect(whileMounted(scratch.at('a'), ['-t', 'tmpfs', 'other-space'])).not.toBe(first);
  });

  onMount('of a bind mount is that of what it shows (needs root)', () => {
    using scratch = new ScratchFolder();
    expect(whileMounted(scratch.at('bound'), ['--bind', scratch.path])).toBe(identityOf(scratch.path));
  });

  it('of what another machine serves is the same from everywhere, of the rest it is bound to the machine', () => {
    const machine = '0123456789abcdef0123456789abcdef';
    const nameOf = (type: string, source: string) => nameOfMount({ type, source }, machine);
    expect(nameOf('nfs4', 'server:/export/home')).toBe('nfs4:server:/export/home');
    expect(nameOf('cifs', '//server/share')).toBe('cifs://server/share');
    expect(nameOf('fuse.sshfs', 'ann@server:/srv')).toBe('fuse.sshfs:ann@server:/srv');
    expect(nameOf('overlay', 'overlay')).toBe(`overlay:overlay@${machine}`);
    expect(nameOfMount({ type: 'overlay', source: 'overlay' }, undefined)).toBe('overlay:overlay');
  });
});
