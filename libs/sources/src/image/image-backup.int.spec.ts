import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { InMemoryVaultFake } from '../testing/in-memory-vault-fake.ts';
import { canLoop, hasProgram, LoopDevice, makeFileSystem } from '../testing/loop-device.ts';
import { letClockTick, ScratchFolder, seededBytes } from '../testing/sample-tree.ts';
import { imageDriver } from './image-driver.ts';
import { imageName } from './reading/backup-image.ts';
import { ImageContent } from './reading/image-content.ts';
import type { Disk } from './disk/disk.ts';

const MiB = 1024 * 1024;
const onLoop = canLoop ? it : it.skip;
const onQemu = hasProgram('qemu-img') && hasProgram('qemu-nbd') ? it : it.skip;

let scratch: ScratchFolder;
let vault: InMemoryVaultFake;
beforeEach(() => {
  scratch = new ScratchFolder();
  vault = new InMemoryVaultFake();
});
afterEach(() => scratch.remove());

async function backup(path: string, more: { format?: string; parent?: string; onChunk?: () => void } = {}) {
  const { format, parent, onChunk } = more;
  const writer = vault.begin(parent);
  writer.onChunk = onChunk;
  const outcome = await imageDriver.backup({ path, ...(format ? { format } : {}) }, writer);
  const { backupId: id } = await writer.finish(outcome.summary);
  expect(outcome.warnings).toBe(writer.warnings.length);
  return { id, outcome, writer, warnings: writer.warnings.map(({ code }) => code) };
}

async function contentOf(id: string): Promise<Buffer> {
  const reader = vault.open(id);
  const entry = await reader.find(Buffer.from(imageName));
  const chunks: Buffer[] = [];
  for await (const chunk of reader.content(entry!)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe('what is read of an image', () => {
  it('is its data, not its holes', async () => {
    const path = scratch.write('sparse.img', '');
    fs.truncateSync(path, 48 * MiB);
    const file = fs.openSync(path, 'r+');
    fs.writeSync(file, seededBytes(65_536, 1), 0, 65_536, 40 * MiB);
    fs.closeSync(file);
    const { outcome, id } = await backup(path);
    expect(outcome).toMatchObject({ files: 1, bytes: 48 * MiB, bytesRead: 65_536, unchanged: 0 });
    expect((await contentOf(id)).equals(fs.readFileSync(path))).toBe(true);
  });

  it('is nothing when the file was not touched since, and everything when it was', async () => {
    const path = scratch.write('a.img', seededBytes(MiB, 1));
    await letClockTick();
    const full = await backup(path);
    const same = await backup(path, { parent: full.id });
    expect(same.outcome).toMatchObject({ bytesRead: 0, filesRead: 0, unchanged: 1 });
    fs.utimesSync(path, 1, 1);
    const touched = await backup(path, { parent: same.id });
    expect(touched.outcome).toMatchObject({ bytesRead: MiB, filesRead: 1 });
    expect(touched.writer.bytesNew).toBe(0n);
  });

  it('may be larger or smaller than before', async () => {
    const path = scratch.write('a.img', seededBytes(MiB, 1));
    const full = await backup(path);
    fs.appendFileSync(path, seededBytes(12_345, 2));
    const grown = await backup(path, { parent: full.id });
    fs.truncateSync(path, 4097);
    const cut = await backup(path, { parent: grown.id });
    expect((await contentOf(grown.id)).length).toBe(MiB + 12_345);
    expect((await contentOf(cut.id)).equals(fs.readFileSync(path))).toBe(true);
  });

  it('may be nothing at all', async () => {
    const { outcome, id } = await backup(scratch.write('empty.img', ''));
    expect(outcome).toMatchObject({ files: 1, bytes: 0, warnings: 0 });
    expect((await contentOf(id)).length).toBe(0);
  });

  it('is told in the manifest by kind and size', async () => {
    const { outcome } = await backup(scratch.write('a.img', seededBytes(5000, 1)));
    expect(outcome.summary.driverDetails).toEqual({ imageFormat: 'raw', imageOf: 'file', imageBytes: 5000 });
  });
});

describe('an image that does not hold still', () => {
  it('is named when it was written to', async () => {
    const path = scratch.write('a.img', seededBytes(3 * MiB, 1));
    await letClockTick();
    const onChunk = () => fs.utimesSync(path, 5, 5);
    expect((await backup(path, { onChunk })).warnings).toEqual(['image.changed']);
  });

  it('is named when it was cut short', async () => {
    const path = scratch.write('a.img', seededBytes(8 * MiB, 1));
    const { warnings } = await backup(path, { onChunk: () => fs.truncateSync(path, MiB) });
    expect(warnings).toEqual(['image.cutShort', 'image.changed']);
  });

  onLoop('is named when it is mounted (needs root and loop devices)', async () => {
    makeFileSystem('ext4', scratch.at('disk.img'), 8);
    fs.mkdirSync(scratch.at('mount'));
    using device = new LoopDevice(scratch.at('disk.img'));
    execFileSync('mount', [device.path, scratch.at('mount')]);
    try {
      const onDevice = await backup(device.path);
      expect(onDevice.warnings).toContain('image.mounted');
      expect(onDevice.writer.warnings[0]?.message).toContain(`fsfreeze --freeze ${scratch.at('mount')}`);
      expect((await backup(scratch.at('disk.img'))).warnings).toContain('image.mounted');
    } finally {
      execFileSync('umount', [scratch.at('mount')]);
    }
    execFileSync('mount', ['-o', 'ro', device.path, scratch.at('mount')]);
    try {
      expect((await backup(device.path)).warnings).toEqual([]);
    } finally {
      execFileSync('umount', [scratch.at('mount')]);
    }
    expect((await backup(device.path)).warnings).toEqual([]);
  });

  onLoop('is named when a device was written to (needs root and loop devices)', async () => {
    scratch.write('disk.img', seededBytes(4 * MiB, 1));
    using device = new LoopDevice(scratch.at('disk.img'));
    const onChunk = (): void => {
      const file = fs.openSync(device.path, 'r+');
      fs.writeSync(file, seededBytes(4096, 5), 0, 4096, 0);
      fs.fsyncSync(file);
      fs.closeSync(file);
    };
    expect((await backup(device.path, { onChunk })).warnings).toEqual(['image.changed']);
  });

  onLoop('is read anew each time, not from memory (needs root and loop devices)', async () => {
    makeFileSystem('ext4', scratch.at('disk.img'), 8);
    fs.mkdirSync(scratch.at('mount'));
    using device = new LoopDevice(scratch.at('disk.img'));
    execFileSync('mount', [device.path, scratch.at('mount')]);
    try {
      const holds = async (text: string) => (await contentOf((await backup(device.path)).id)).includes(text);
      fs.writeFileSync(scratch.at('mount', 'note'), 'what was there first');
      execFileSync('sync', ['-f', scratch.at('mount')]);
      expect(await holds('what was there first')).toBe(true);
      const file = fs.openSync(scratch.at('mount', 'note'), 'r+');
      fs.writeSync(file, 'what came afterwards');
      fs.closeSync(file);
      execFileSync('sync', ['-f', scratch.at('mount')]);
      expect(await holds('what came afterwards')).toBe(true);
    } finally {
      execFileSync('umount', [scratch.at('mount')]);
    }
  });
});

describe('bad spots of a medium', () => {
  /** A disk with spots that cannot be read. */
  function diskWithBadSpots(content: Buffer, spots: readonly number[]): Disk {
    return {
      size: BigInt(content.length),
      async read(offset, into) {
        const start = Number(offset);
        const length = Math.min(into.length, content.length - start);
        if (spots.some((spot) => spot >= start && spot < start + length))
          throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
        content.copy(into, 0, start, start + length);
        return { length, zeros: false };
      },
      close: () => Promise.resolve(),
    };
  }

  it('cost no more than the blocks they are in', async () => {
    const content = seededBytes(3 * MiB + 100, 1);
    const image = new ImageContent(
      diskWithBadSpots(content, [5000, 8192, 2 * MiB, 3 * MiB + 50]),
      () => undefined,
    );
    const chunks: Buffer[] = [];
    for await (const chunk of image.open()) chunks.push(Buffer.from(chunk));
    const expected = Buffer.from(content)
      .fill(0, 4096, 12_288)
      .fill(0, 2 * MiB, 2 * MiB + 4096);
    expected.fill(0, 3 * MiB);
    expect(Buffer.concat(chunks).equals(expected)).toBe(true);
    expect(image.bad).toEqual([
      { start: 4096n, end: 12_288n, reason: 'EIO' },
      { start: BigInt(2 * MiB), end: BigInt(2 * MiB + 4096), reason: 'EIO' },
      { start: BigInt(3 * MiB), end: BigInt(3 * MiB + 100), reason: 'EIO' },
    ]);
  });
});

describe('a qcow2 disk', () => {
  onQemu('is what a guest sees, also of what lies in another file (needs qemu-utils)', async () => {
    scratch.write('base.img', seededBytes(2 * MiB, 1));
    const qemu = (...args: string[]) => execFileSync('qemu-img', args);
    qemu('convert', '-f', 'raw', '-O', 'qcow2', scratch.at('base.img'), scratch.at('base.qcow2'));
    qemu(
      'create',
      '-q',
      '-f',
      'qcow2',
      '-F',
      'qcow2',
      '-b',
      scratch.at('base.qcow2'),
      scratch.at('top.qcow2'),
    );
    await letClockTick();
    const full = await backup(scratch.at('top.qcow2'), { format: 'qcow2' });
    expect((await contentOf(full.id)).equals(fs.readFileSync(scratch.at('base.img')))).toBe(true);
    // The other file may change without a trace in this one, so it is read again.
    const again = await backup(scratch.at('top.qcow2'), { format: 'qcow2', parent: full.id });
    expect(again.outcome.bytesRead).toBe(2 * MiB);
    expect(again.writer.bytesNew).toBe(0n);
  });

  onQemu('is read without its holes, whatever its size (needs qemu-utils)', async () => {
    const path = scratch.at('large.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '64M']);
    const { outcome } = await backup(path, { format: 'qcow2' });
    expect(outcome).toMatchObject({ bytes: 64 * MiB, bytesRead: 0 });
    expect(outcome.summary.driverDetails).toMatchObject({ imageFormat: 'qcow2', clusterBytes: 65_536 });
  });

  onQemu('that a guest uses is refused (needs qemu-utils)', async () => {
    const path = scratch.at('used.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1M']);
    const { Qcow2Disk } = await import('./qcow2/qcow2-disk.ts');
    const guest = await Qcow2Disk.open(path, 'write');
    try {
      await expect(imageDriver.check({ path, format: 'qcow2' })).rejects.toMatchObject({
        code: 'source.notReadable',
        message: expect.stringContaining('running guest') as unknown,
      });
    } finally {
      await guest.close();
    }
    await expect(imageDriver.check({ path, format: 'qcow2' })).resolves.toBeUndefined();
  });

  onQemu('that is damaged is refused with what is wrong with it (needs qemu-utils)', async () => {
    const path = scratch.at('bad.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1M']);
    const file = fs.openSync(path, 'r+');
    fs.writeSync(file, Buffer.alloc(64, 0xee), 0, 64, 8);
    fs.closeSync(file);
    await expect(backup(path, { format: 'qcow2' })).rejects.toMatchObject({ code: 'source.notReadable' });
  });
});
