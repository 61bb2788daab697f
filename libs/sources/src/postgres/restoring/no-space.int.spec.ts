import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canMountType, MountedFileSystem } from '../../testing/loop-device.ts';
import { BackedUpCluster } from '../testing/backed-up-cluster.ts';

const isTested = process.env['CATENA_TEST_LONG'] === '1' && canMountType('tmpfs');

(isTested ? describe : describe.skip)('a restore of a cluster to a disk that is too small', () => {
  let here: BackedUpCluster;
  const logs = ['log'];

  beforeAll(async () => {
    here = await BackedUpCluster.start();
    const { manifest } = await here.backup('full', 'full');
    await here.cluster.sql(
      'CREATE TABLE later AS SELECT repeat(md5(n::text), 20) FROM generate_series(1, 40000) n',
    );
    await here.log('log', manifest.position!.archivePoint!);
  });
  afterAll(() => here[Symbol.asyncDispose]());

  it('for its log says so, leaves nothing, and is done when there is room', async () => {
    const reader = await here.collection.openBackup('full');
    const { bytes } = reader.manifest.statistics;
    await reader.close();
    using disk = new MountedFileSystem('tmpfs', '', here.at('disk'), [`size=${bytes + 6_000_000}`]);
    const target = path.join(disk.path, 'target');
    await expect(here.restoreTo(target, 'full', { logs })).rejects.toMatchObject({
      code: 'restore.noSpace',
      message: expect.stringContaining('Nothing has its final name'),
    });
    expect(readdirSync(disk.path)).toEqual([]);
    await here.restoreTo(target, 'full');
    expect(readdirSync(disk.path)).toEqual(['target']);
  });

  it('for the cluster itself is refused before anything is written', async () => {
    using disk = new MountedFileSystem('tmpfs', '', here.at('tiny'), ['size=2m']);
    const target = path.join(disk.path, 'target');
    await expect(here.restoreTo(target, 'full')).rejects.toMatchObject({ code: 'restore.noSpace' });
    expect(readdirSync(disk.path)).toEqual([]);
  });

  it('over a data folder is refused before anything is touched, and done when there is room', async () => {
    using disk = new MountedFileSystem('tmpfs', '', here.at('almost full'), ['size=200m']);
    const target = path.join(disk.path, 'target');
    await here.restoreTo(target, 'full');
    for (const file of relations(target)) rmSync(file);
    // What fills the disk is none of the cluster's.
    fill(disk.path, path.join(disk.path, 'filler'));
    const before = filesBelow(target);
    await expect(here.restoreTo(target, 'full', { delta: true })).rejects.toMatchObject({
      code: 'restore.noSpace',
      message: expect.stringContaining('Nothing was touched'),
    });
    expect(filesBelow(target)).toEqual(before);
    rmSync(path.join(disk.path, 'filler'));
    const { cluster } = await here.restoreTo(target, 'full', {
      delta: true,
      cluster: { start: 'stopAgain' },
    });
    expect(cluster?.reached?.position).toBe(cluster?.planned);
  });

  it('over a data folder has the room of what is not in the backup', async () => {
    using disk = new MountedFileSystem('tmpfs', '', here.at('given back'), ['size=200m']);
    const target = path.join(disk.path, 'target');
    await here.restoreTo(target, 'full');
    for (const file of relations(target)) rmSync(file);
    // A table that was made since.
    fill(disk.path, path.join(target, 'base', '5', '99999'));
    const { cluster } = await here.restoreTo(target, 'full', {
      delta: true,
      cluster: { start: 'stopAgain' },
    });
    expect(cluster?.reached?.position).toBe(cluster?.planned);
  });
});

/** Files of tables in a restored cluster. */
function relations(target: string): string[] {
  const folder = path.join(target, 'base', '5');
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => path.join(folder, name));
}

/** Writes a file that leaves next to nothing free. */
function fill(disk: string, file: string): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(file, Buffer.alloc(bavail * bsize - 100_000));
}

/** Every file with what it holds. */
function filesBelow(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [file, createHash('sha256').update(readFileSync(file)).digest('hex')]),
  );
}
