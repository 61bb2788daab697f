import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import type { RestoreOptions } from '../../port/source-driver.ts';
import { discardStaged } from '../../files/restoring/restore-files.ts';
import { InMemoryVaultFake } from '../../testing/in-memory-vault-fake.ts';
import { canLoop, hasProgram, LoopDevice, makeFileSystem } from '../../testing/loop-device.ts';
import { ScratchFolder, seededBytes } from '../../testing/sample-tree.ts';
import { imageDriver } from '../image-driver.ts';
import { ImageRestore, type ImageRestoreMoments } from './restore-image.ts';

const MiB = 1024 * 1024;
const onLoop = canLoop ? it : it.skip;
const onQemu = hasProgram('qemu-img') && hasProgram('qemu-nbd') ? it : it.skip;

let scratch: ScratchFolder;
let vault: InMemoryVaultFake;
let content: Buffer;
let backupId: string;

beforeEach(async () => {
  scratch = new ScratchFolder();
  vault = new InMemoryVaultFake();
  content = Buffer.alloc(8 * MiB + 512);
  seededBytes(MiB, 1).copy(content, 0);
  seededBytes(2 * MiB, 2).copy(content, 5 * MiB);
  fs.writeFileSync(scratch.at('source.img'), content, { mode: 0o640 });
  fs.utimesSync(scratch.at('source.img'), 1_500_000_000, 1_500_000_000);
  backupId = await backedUp({ path: scratch.at('source.img') });
});
afterEach(() => scratch.remove());

async function backedUp(spec: unknown): Promise<string> {
  const writer = vault.begin();
  const { summary } = await imageDriver.backup(spec, writer);
  return (await writer.finish(summary)).backupId;
}

function restore(target: string, options: Partial<RestoreOptions> = {}, moments: ImageRestoreMoments = {}) {
  return new ImageRestore(vault.open(backupId), target, { run: 'run', ...options }, moments).run();
}

/** A device of so many bytes, filled with something else. */
function deviceOf(bytes: number, name = 'target.disk'): LoopDevice {
  scratch.write(name, Buffer.alloc(bytes, 0xa5));
  return new LoopDevice(scratch.at(name));
}

describe('an image restored to a file', () => {
  it('has holes where it was zeros, and the times and rights of the source', async () => {
    const outcome = await restore(scratch.at('new', 'out.img'));
    expect(outcome).toMatchObject({ files: 1, bytes: content.length, bytesWritten: 3 * MiB, warnings: [] });
    expect(fs.readFileSync(scratch.at('new', 'out.img')).equals(content)).toBe(true);
    const status = fs.statSync(scratch.at('new', 'out.img'));
    expect({ mode: status.mode & 0o777, mtime: status.mtimeMs }).toEqual({ mode: 0o640, mtime: 1.5e12 });
    expect(status.blocks * 512).toBeLessThan(4 * MiB);
    expect(fs.readdirSync(scratch.at('new'))).toEqual(['out.img']);
  });

  it('goes on where an attempt of the run that was killed has ended', async () => {
    const died = restore(
      scratch.at('out.img'),
      { onFailure: 'keep' },
      {
        staged: () => {
          throw new Error('killed');
        },
      },
    );
    await expect(died).rejects.toThrow('killed');
    expect(fs.existsSync(scratch.at('out.img'))).toBe(false);
    const outcome = await restore(scratch.at('out.img'));
    expect(outcome.bytesWritten).toBe(0);
    expect(fs.readFileSync(scratch.at('out.img')).equals(content)).toBe(true);
    expect(fs.readdirSync(scratch.path).sort()).toEqual(['out.img', 'source.img']);
  });

  it('leaves nothing of a run that is given up', async () => {
    const moments = {
      staged: () => {
        throw new Error('killed');
      },
    };
    await expect(restore(scratch.at('out.img'), { onFailure: 'keep' }, moments)).rejects.toThrow('killed');
    discardStaged(scratch.at('out.img'), 'run');
    expect(fs.readdirSync(scratch.path)).toEqual(['source.img']);
  });

  it('never replaces a folder, not even when told to', async () => {
    fs.mkdirSync(scratch.at('folder'));
    await expect(restore(scratch.at('folder'), { overwrite: true })).rejects.toMatchObject({
      code: 'restore.kindConflict',
    });
  });

  it('cannot be restored in part', async () => {
    await expect(restore(scratch.at('out.img'), { globs: ['etc/**'] })).rejects.toMatchObject({
      code: 'restore.nothingSelected',
      remedy: expect.stringContaining('as a whole') as unknown,
    });
    await expect(restore(scratch.at('out.img'), { globs: ['disk.img'] })).resolves.toMatchObject({
      files: 1,
    });
  });

  onQemu('is a qcow2 disk again when it came out of one, or raw by its name (needs qemu-utils)', async () => {
    const qemu = (...args: string[]) => execFileSync('qemu-img', args, { encoding: 'utf8' });
    const source = scratch.at('disk.qcow2');
    qemu(
      'convert',
      '-f',
      'raw',
      '-O',
      'qcow2',
      '-o',
      'cluster_size=131072',
      scratch.at('source.img'),
      source,
    );
    backupId = await backedUp({ path: source, format: 'qcow2' });
    await restore(scratch.at('again.qcow2'));
    qemu('compare', '-f', 'qcow2', '-F', 'qcow2', source, scratch.at('again.qcow2'));
    qemu('check', '-q', scratch.at('again.qcow2'));
    const info = JSON.parse(qemu('info', '--output=json', scratch.at('again.qcow2'))) as Record<
      string,
      unknown
    >;
    expect(info).toMatchObject({ format: 'qcow2', 'cluster-size': 131_072 });
    expect(fs.statSync(scratch.at('again.qcow2')).blocks * 512).toBeLessThan(5 * MiB);
    await restore(scratch.at('again.raw'));
    expect(fs.readFileSync(scratch.at('again.raw')).subarray(0, content.length).equals(content)).toBe(true);
  });
});

describe('an image restored to a device (needs root and loop devices)', () => {
  onLoop('is refused until it is said that what is there may be replaced', async () => {
    using device = deviceOf(content.length);
    const before = fs.readFileSync(device.path);
    await expect(restore(device.path)).rejects.toMatchObject({
      code: 'restore.targetExists',
      message: expect.stringContaining('everything on it would be replaced') as unknown,
    });
    expect(fs.readFileSync(device.path).equals(before)).toBe(true);
  });

  onLoop('replaces everything, and leaves what is behind its end with a warning', async () => {
    using device = deviceOf(content.length + MiB);
    const outcome = await restore(device.path, { overwrite: true });
    const found = fs.readFileSync(device.path);
    expect(found.subarray(0, content.length).equals(content)).toBe(true);
    expect(found.subarray(content.length).every((byte) => byte === 0xa5)).toBe(true);
    expect(outcome.warnings.map(({ code }) => code)).toEqual(['restore.deviceLarger']);
  });

  onLoop('writes only what differs, so that an attempt that was stopped is gone on with', async () => {
    using device = deviceOf(content.length);
    let pieces = 0;
    const stopped = restore(
      device.path,
      { overwrite: true },
      {
        passed: () => {
          pieces += 1;
          if (pieces === 6) throw new Error('stopped');
        },
      },
    );
    await expect(stopped).rejects.toThrow('stopped');
    const rest = await restore(device.path, { overwrite: true });
    expect(rest.bytesWritten).toBeLessThanOrEqual(3 * MiB);
    expect(fs.readFileSync(device.path).equals(content)).toBe(true);
    expect(await restore(device.path, { overwrite: true })).toMatchObject({ bytesWritten: 0, warnings: [] });
  });

  onLoop('gives back to a thin device what was zeros', async () => {
    using device = deviceOf(content.length);
    await restore(device.path, { overwrite: true });
    expect(fs.statSync(scratch.at('target.disk')).blocks * 512).toBeLessThan(4 * MiB);
  });

  onLoop('is refused by one that is too small', async () => {
    using device = deviceOf(content.length - 512);
    await expect(restore(device.path, { overwrite: true })).rejects.toMatchObject({
      code: 'restore.targetTooSmall',
    });
  });

  onLoop('is refused by one that is mounted', async () => {
    makeFileSystem('ext4', scratch.at('used.disk'), 8);
    fs.mkdirSync(scratch.at('mount'));
    using device = new LoopDevice(scratch.at('used.disk'));
    execFileSync('mount', [device.path, scratch.at('mount')]);
    try {
      await expect(restore(device.path, { overwrite: true })).rejects.toMatchObject({
        code: 'restore.targetNotUsable',
        message: expect.stringContaining(`is mounted at '${scratch.at('mount')}'`) as unknown,
      });
    } finally {
      execFileSync('umount', [scratch.at('mount')]);
    }
  });

  onLoop('is refused by one that is read-only, or that somebody else has to himself', async () => {
    scratch.write('ro.disk', Buffer.alloc(content.length));
    using readOnly = new LoopDevice(scratch.at('ro.disk'), '--read-only');
    await expect(restore(readOnly.path, { overwrite: true })).rejects.toMatchObject({
      code: 'restore.targetNotUsable',
    });
    using taken = deviceOf(content.length);
    const other = fs.openSync(taken.path, fs.constants.O_RDWR | fs.constants.O_EXCL);
    try {
      await expect(restore(taken.path, { overwrite: true })).rejects.toMatchObject({
        code: 'restore.targetNotUsable',
        message: expect.stringContaining('in use by the system') as unknown,
      });
    } finally {
      fs.closeSync(other);
    }
  });

  onLoop('asks before the first byte whether it may still go on', async () => {
    using device = deviceOf(content.length);
    const lost = new Error('the claim is lost');
    await expect(
      restore(device.path, { overwrite: true, beforeVisible: () => Promise.reject(lost) }),
    ).rejects.toThrow(lost);
    expect(fs.readFileSync(device.path).every((byte) => byte === 0xa5)).toBe(true);
  });

  onLoop('brings back a file system that can be mounted', async () => {
    makeFileSystem('ext4', scratch.at('fs.disk'), 8);
    fs.mkdirSync(scratch.at('mount'));
    using source = new LoopDevice(scratch.at('fs.disk'));
    execFileSync('mount', [source.path, scratch.at('mount')]);
    fs.writeFileSync(scratch.at('mount', 'letter'), 'dear reader');
    execFileSync('umount', [scratch.at('mount')]);
    backupId = await backedUp({ path: source.path });
    using target = deviceOf(8 * MiB);
    await restore(target.path, { overwrite: true });
    execFileSync('mount', ['-o', 'ro', target.path, scratch.at('mount')]);
    try {
      expect(fs.readFileSync(scratch.at('mount', 'letter'), 'utf8')).toBe('dear reader');
    } finally {
      execFileSync('umount', [scratch.at('mount')]);
    }
    execFileSync('e2fsck', ['-fn', target.path], { stdio: 'ignore' });
  });
});
