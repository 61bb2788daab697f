import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { asUser } from '../testing/as-user.ts';
import { InMemoryVaultFake } from '../testing/in-memory-vault-fake.ts';
import { canLoop, hasProgram, LoopDevice, makeFileSystem } from '../testing/loop-device.ts';
import { isRoot, letClockTick, ScratchFolder, seededBytes } from '../testing/sample-tree.ts';
import { describeSourceDriver, type DriverSubject } from '../testing/source-driver-contract.ts';
import { imageDriver } from './image-driver.ts';

const MiB = 1024 * 1024;
const onLoop = canLoop ? describe : describe.skip;
const hasQemu = hasProgram('qemu-img') && hasProgram('qemu-nbd');
const onQemu = hasQemu ? describe : describe.skip;

/** A sparse image: data, a hole, data again, a hole at the end. */
function makeImage(file: string, seed: number): void {
  const open = fs.openSync(file, 'w');
  fs.writeSync(open, seededBytes(MiB, seed), 0, MiB, 0);
  fs.writeSync(open, seededBytes(MiB, seed + 1), 0, MiB, 5 * MiB + 4096);
  fs.ftruncateSync(open, 9 * MiB);
  fs.closeSync(open);
}

function writeAt(file: string, position: number, bytes: Buffer): void {
  const open = fs.openSync(file, 'r+');
  fs.writeSync(open, bytes, 0, bytes.length, position);
  fs.fsyncSync(open);
  fs.closeSync(open);
}

function sameBytes(a: string, b: string): string[] {
  return fs.readFileSync(a).equals(fs.readFileSync(b)) ? [] : [`'${b}' is not as '${a}'`];
}

/** What all subjects have in common. */
function subjectIn(
  scratch: ScratchFolder,
): Pick<DriverSubject, 'newTarget' | 'targetExists' | 'occupy' | 'settle' | 'missingSpec' | 'invalidSpec'> {
  let targets = 0;
  return {
    missingSpec: { path: scratch.at('nowhere') },
    invalidSpec: { path: 'relative', format: 'vhd', surprise: true },
    newTarget: () => scratch.at('targets', `${(targets += 1)}.img`),
    targetExists: (target) => fs.existsSync(target),
    occupy: (target) => {
      fs.mkdirSync(scratch.at('targets'), { recursive: true });
      fs.writeFileSync(target, 'mine');
      return Promise.resolve();
    },
    settle: letClockTick,
  };
}

describe('on a raw image file', () => {
  describeSourceDriver(imageDriver, () => {
    const scratch = new ScratchFolder();
    const source = scratch.at('source.img');
    makeImage(source, 1);
    makeImage(scratch.at('other.img'), 3);
    return Promise.resolve({
      ...subjectIn(scratch),
      spec: { path: source },
      otherSpec: { path: scratch.at('other.img') },
      change: () => {
        writeAt(source, 3 * MiB, seededBytes(8192, 9));
        return Promise.resolve();
      },
      differences: (target: string) => Promise.resolve(sameBytes(source, target)),
      remove: () => Promise.resolve(scratch.remove()),
    });
  });
});

onLoop('on a block device (needs root and loop devices)', () => {
  describeSourceDriver(imageDriver, () => {
    const scratch = new ScratchFolder();
    makeImage(scratch.at('one.img'), 1);
    makeImage(scratch.at('two.img'), 3);
    const source = new LoopDevice(scratch.at('one.img'));
    const other = new LoopDevice(scratch.at('two.img'));
    return Promise.resolve({
      ...subjectIn(scratch),
      readsToCompare: true,
      spec: { path: source.path },
      otherSpec: { path: other.path },
      change: () => {
        writeAt(source.path, 3 * MiB, seededBytes(8192, 9));
        return Promise.resolve();
      },
      differences: (target: string) => Promise.resolve(sameBytes(source.path, target)),
      remove: () => {
        source.detach();
        other.detach();
        return Promise.resolve(scratch.remove());
      },
    });
  });
});

onQemu('on a qcow2 disk (needs qemu-utils)', () => {
  describeSourceDriver(imageDriver, () => {
    const scratch = new ScratchFolder();
    const source = scratch.at('source.qcow2');
    makeImage(scratch.at('one.img'), 1);
    makeImage(scratch.at('two.img'), 3);
    const convert = (from: string, to: string) =>
      execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', from, to]);
    convert(scratch.at('one.img'), source);
    convert(scratch.at('two.img'), scratch.at('other.qcow2'));
    return Promise.resolve({
      ...subjectIn(scratch),
      spec: { path: source, format: 'qcow2' },
      otherSpec: { path: scratch.at('other.qcow2'), format: 'qcow2' },
      change: () => {
        writeAt(scratch.at('one.img'), 3 * MiB, seededBytes(8192, 9));
        convert(scratch.at('one.img'), source);
        return Promise.resolve();
      },
      // The names end in .img: what is restored is the raw disk.
      differences: (target: string) => Promise.resolve(sameBytes(scratch.at('one.img'), target)),
      remove: () => Promise.resolve(scratch.remove()),
    });
  });
});

describe('an image source is checked', () => {
  let scratch: ScratchFolder;
  beforeEach(() => {
    scratch = new ScratchFolder();
  });
  afterEach(() => scratch.remove());

  it('with everything that is wrong in its definition at once', async () => {
    await expect(imageDriver.check({ path: 'x', format: 'vhd', extra: true })).rejects.toMatchObject({
      code: 'source.specInvalid',
      details: {
        problems: [
          expect.stringContaining('image.path'),
          expect.stringContaining('image.format'),
          expect.stringContaining('extra'),
        ],
      },
    });
  });

  it('for being a disk', async () => {
    const notSupported = { code: 'source.notSupported' };
    await expect(imageDriver.check({ path: scratch.path })).rejects.toMatchObject({
      ...notSupported,
      remedy: expect.stringContaining('driver: files') as unknown,
    });
    await expect(imageDriver.check({ path: '/dev/null' })).rejects.toMatchObject(notSupported);
  });

  (isRoot ? it : it.skip)('for being readable (needs root, to be somebody else)', async () => {
    fs.chmodSync(scratch.path, 0o755);
    fs.writeFileSync(scratch.at('secret.img'), 'x', { mode: 0o600 });
    await asUser(12_345, async () => {
      await expect(imageDriver.check({ path: scratch.at('secret.img') })).rejects.toMatchObject({
        code: 'source.notReadable',
      });
    });
  });

  (hasQemu ? it : it.skip)('for being qcow2 when it is said to be (needs qemu-utils)', async () => {
    scratch.write('raw.img', seededBytes(4096, 1));
    const check = imageDriver.check({ path: scratch.at('raw.img'), format: 'qcow2' });
    await expect(check).rejects.toMatchObject({ code: 'source.notReadable' });
  });

  it('for the programs that qcow2 needs', async () => {
    scratch.write('disk.qcow2', seededBytes(4096, 1));
    const path = process.env['PATH'];
    process.env['PATH'] = scratch.path;
    try {
      const spec = { path: scratch.at('disk.qcow2'), format: 'qcow2' };
      const refusal = {
        code: 'source.notSupported',
        remedy: expect.stringContaining('qemu-utils') as unknown,
      };
      await expect(imageDriver.check(spec)).rejects.toMatchObject(refusal);
      await expect(imageDriver.backup(spec, new InMemoryVaultFake().begin())).rejects.toMatchObject(refusal);
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('and is the same through a link', async () => {
    makeImage(scratch.at('a.img'), 1);
    fs.symlinkSync('a.img', scratch.at('link'));
    expect(await imageDriver.family({ path: scratch.at('link') })).toBe(
      await imageDriver.family({ path: scratch.at('a.img') }),
    );
  });
});

onLoop('a device source (needs root and loop devices)', () => {
  it('keeps its family when its loop device has another name', async () => {
    using scratch = new ScratchFolder();
    makeImage(scratch.at('a.img'), 1);
    using first = new LoopDevice(scratch.at('a.img'));
    const family = await imageDriver.family({ path: first.path });
    using second = new LoopDevice(scratch.at('a.img'));
    expect(second.path).not.toBe(first.path);
    expect(await imageDriver.family({ path: second.path })).toBe(family);
  });

  it('is refused when the repository is on it', async () => {
    using scratch = new ScratchFolder();
    makeFileSystem('ext4', scratch.at('disk.img'), 8);
    fs.mkdirSync(scratch.at('mount'));
    using device = new LoopDevice(scratch.at('disk.img'));
    execFileSync('mount', [device.path, scratch.at('mount')]);
    try {
      const context = { repositoryFolder: scratch.at('mount', 'new', 'repository') };
      for (const path of [device.path, scratch.at('disk.img')]) {
        await expect(imageDriver.check({ path }, context)).rejects.toMatchObject({
          code: 'source.repositoryInside',
        });
      }
      await expect(
        imageDriver.check({ path: device.path }, { repositoryFolder: scratch.path }),
      ).resolves.toBeUndefined();
    } finally {
      execFileSync('umount', [scratch.at('mount')]);
    }
  });
});
