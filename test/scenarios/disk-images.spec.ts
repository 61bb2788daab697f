import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackupType, BackupView } from '@catena/events';
import { canLoop, LoopDevice, makeFileSystem, seededBytes } from '@catena/sources/testing';
import { until } from '../platform/operator.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';

const MiB = 1024 * 1024;
const example = fileURLToPath(new URL('../../examples/disk-image/', import.meta.url));
const onLoop = canLoop ? it : it.skip;

let platform: TestPlatform;
let catena: CatenaCommand;
let image: string;
/** The image as it was at each backup. */
const was = new Map<string, string>();

function change(file: string, position: number, bytes: Buffer): void {
  const open = openSync(file, 'r+');
  writeSync(open, bytes, 0, bytes.length, position);
  closeSync(open);
}

function remember(backup: string): void {
  const copy = path.join(platform.place('copies'), backup);
  copyFileSync(image, copy);
  was.set(backup, copy);
}

async function backUp(type: BackupType, copyOnly = false) {
  const { state, event } = await platform.backup('disk-image', 'disk-image', type, copyOnly);
  if (event.type !== 'run.completed' || event.data.backup === undefined) throw new Error(`it ${state}`);
  remember(event.data.backup);
  return { backup: event.data.backup, ...event.data.statistics };
}

/** Newest first. */
function backups(): Promise<BackupView[]> {
  return platform.backups('disk-image');
}

function isAsIn(copy: string, restored: string): boolean {
  return readFileSync(copy).equals(readFileSync(restored));
}

beforeAll(async () => {
  platform = await TestPlatform.start();
  catena = new CatenaCommand(platform.home, { folder: platform.folder });
  mkdirSync(path.join(platform.home, 'disk-image'));
  image = path.join(platform.home, 'disk-image', 'disk.img');
  closeSync(openSync(image, 'w'));
  truncateSync(image, 24 * MiB);
  change(image, MiB, seededBytes(4 * MiB, 1));
  const files = readdirSync(example).map((name) => path.join(example, name));
  await catena.ask('apply', ...files);
  await until('the first full is there', async () => (await backups()).length === 1);
  remember((await backups())[0]!.backup);
});

afterAll(() => platform[Symbol.asyncDispose]());

describe('the example of a disk image, applied as it is', () => {
  it('gives a chain in which only blocks that differ are stored', async () => {
    const [full] = await backups();
    expect(full).toMatchObject({ type: 'full', bytes: 24 * MiB });
    change(image, 2 * MiB + 100, seededBytes(100, 2));
    change(image, 20 * MiB, seededBytes(8192, 3));
    const incremental = await backUp('incremental');
    expect(incremental.bytes).toBe(24 * MiB);
    // Two or three blocks of 8 KiB, one page of the map and the entries.
    expect(incremental.bytesAdded).toBeLessThan(100_000);
    const untouched = await backUp('incremental');
    expect(untouched.bytesRead).toBe(0);
    change(image, 3 * MiB, Buffer.alloc(MiB));
    const differential = await backUp('differential');
    expect(differential.bytesAdded).toBeLessThan(150_000);
    const copyOnly = await backUp('full', true);
    const listed = await backups();
    expect(listed.map(({ backup, type, copyOnly }) => [backup, type, copyOnly])).toEqual([
      [copyOnly.backup, 'full', true],
      [differential.backup, 'differential', false],
      [untouched.backup, 'incremental', false],
      [incremental.backup, 'incremental', false],
      [full!.backup, 'full', false],
    ]);
    expect(listed.every(({ source }) => source === 'disk-image')).toBe(true);
  });

  it('gives back the disk as it was at each of them, sparse', async () => {
    for (const [backup, copy] of was) {
      const target = path.join(platform.place('restored'), `${backup}.img`);
      expect((await platform.restore('disk-image', backup, target)).state).toBe('completed');
      expect(isAsIn(copy, target)).toBe(true);
      expect(statSync(target).blocks * 512).toBeLessThan(6 * MiB);
    }
  });

  it('is restored in place only when that is said', async () => {
    const newest = (await backups())[0]!.backup;
    change(image, 0, Buffer.from('the disk is broken'));
    const refused = await catena.run('restore', 'disk-image', '--in-place');
    expect(refused.code).toBe(4);
    expect(refused.err).toContain('restore.targetExists');
    await catena.ask('restore', 'disk-image', '--in-place', '--overwrite');
    expect(isAsIn(was.get(newest)!, image)).toBe(true);
  });

  it('passes a full verification', async () => {
    const answer = await catena.run('verify', '--repository', 'disk-image');
    expect({ code: answer.code, out: answer.out }).toMatchObject({
      code: 0,
      out: expect.not.stringContaining('damage'),
    });
  });

  it('is restored from the repository alone, with no service', async () => {
    const target = path.join(platform.place('restored'), 'by-hand.img');
    const home = path.join(platform.home, 'disk-image');
    const [newest] = await backups();
    await catena.ask(
      ...['restore', '--repository', path.join(home, 'repository')],
      ...['--key-file', path.join(home, 'repository.key'), '--backup', newest!.backup, '--to', target],
    );
    expect(isAsIn(was.get(newest!.backup)!, target)).toBe(true);
  });
});

describe('a device (needs root and loop devices)', () => {
  onLoop('warns while it is mounted, and comes back onto another device that can be mounted', async () => {
    const folder = platform.place('devices');
    const mount = path.join(folder, 'mount');
    mkdirSync(mount);
    makeFileSystem('ext4', path.join(folder, 'one.disk'), 8);
    makeFileSystem('ext4', path.join(folder, 'two.disk'), 8);
    using one = new LoopDevice(path.join(folder, 'one.disk'));
    using two = new LoopDevice(path.join(folder, 'two.disk'));
    platform.write(folder, {
      'device.yaml': `apiVersion: catena/v1\nkind: Source\nmetadata: {name: device}\nspec: {driver: image, image: {path: ${one.path}}}\n`,
    });
    await catena.ask('apply', path.join(folder, 'device.yaml'));
    execFileSync('mount', [one.path, mount]);
    platform.write(mount, { 'letter.txt': 'Dear Ada,\n' });
    const mounted = await catena.run(...['backup', 'device', '--repository', 'disk-image', '--type', 'full']);
    execFileSync('umount', [mount]);
    expect(mounted.code).toBe(5);
    expect(mounted.err).toMatch(/warning image\.mounted: .*fsfreeze/);
    const { state } = await platform.backup('device', 'disk-image', 'incremental');
    expect(state).toBe('completed');
    const [backup] = await platform.backups('device');
    const refused = await platform.restore('disk-image', backup!.backup, two.path);
    expect(refused.event.data).toMatchObject({ failure: { code: 'restore.targetExists' } });
    await catena.ask('restore', 'device', '--to', two.path, '--overwrite');
    execFileSync('mount', ['-o', 'ro', two.path, mount]);
    try {
      expect(readFileSync(path.join(mount, 'letter.txt'), 'utf8')).toBe('Dear Ada,\n');
    } finally {
      execFileSync('umount', [mount]);
    }
  });

  onLoop('that is another disk is refused until it is accepted', async () => {
    const folder = platform.place('devices');
    const definition = path.join(folder, 'device.yaml');
    makeFileSystem('ext4', path.join(folder, 'three.disk'), 8);
    using three = new LoopDevice(path.join(folder, 'three.disk'));
    platform.write(folder, {
      'device.yaml': readFileSync(definition, 'utf8').replace(/\/dev\/loop\d+/, three.path),
    });
    await catena.ask('apply', definition);
    const refused = await catena.run(
      ...['backup', 'device', '--repository', 'disk-image', '--type', 'incremental'],
    );
    expect(refused.err).toContain('chain.family-changed');
    const family = /--family '([^']+)'/.exec(refused.err)?.[1] ?? '';
    expect(family).toMatch(/^image:.*three\.disk$/);
    await catena.ask('accept', 'device', '--repository', 'disk-image', '--family', family);
    expect((await platform.backup('device', 'disk-image', 'full')).state).toBe('completed');
  });
});
