import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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

  const bytesOf = async (id: string) => {
    const reader = await here.collection.openBackup(id);
    const { bytes } = reader.manifest.statistics;
    await reader.close();
    return bytes;
  };

  it('for its log is refused before anything is written, and is done when there is room', async () => {
    const bytes = await bytesOf('full');
    using disk = new MountedFileSystem('tmpfs', '', here.at('disk'), [`size=${bytes + 6_000_000}`]);
    const target = path.join(disk.path, 'target');
    let written = 0;
    const progress = () => (written += 1);
    await expect(here.restoreTo(target, 'full', { logs, progress })).rejects.toMatchObject({
      code: 'restore.noSpace',
      message: expect.stringContaining('Nothing was written'),
    });
    expect([written, readdirSync(disk.path)]).toEqual([0, []]);
    await here.restoreTo(target, 'full');
    expect(readdirSync(disk.path)).toEqual(['target']);
  });

  it('that fills up meanwhile says so, and leaves nothing', async () => {
    const bytes = await bytesOf('full');
    using disk = new MountedFileSystem('tmpfs', '', here.at('filling'), [`size=${2 * bytes}`]);
    const target = path.join(disk.path, 'target');
    const filler = path.join(disk.path, 'filler');
    const progress = () => {
      if (!existsSync(filler)) fill(disk.path, filler);
    };
    await expect(here.restoreTo(target, 'full', { progress })).rejects.toMatchObject({
      code: 'restore.noSpace',
      message: expect.stringContaining('Nothing has its final name'),
    });
    expect(readdirSync(disk.path)).toEqual(['filler']);
  });

  it('for all of it has room when its tablespaces lie elsewhere', async () => {
    const place = here.at('spaced');
    mkdirSync(place, { mode: 0o700 });
    const { uid, gid } = statSync(here.cluster.server.dataDir);
    chownSync(place, uid, gid);
    await here.cluster.sql(`CREATE TABLESPACE fast LOCATION '${place}'`);
    await here.cluster.sql(
      'CREATE TABLE spaced TABLESPACE fast AS SELECT repeat(md5(n::text), 20) FROM generate_series(1, 60000) n',
    );
    await here.backup('spaced', 'full');
    const size = Math.round((await bytesOf('spaced')) * 0.8);
    using disk = new MountedFileSystem('tmpfs', '', here.at('without spaces'), [`size=${size}`]);
    using other = new MountedFileSystem('tmpfs', '', here.at('spaces'), [`size=${size}`]);
    const target = path.join(disk.path, 'target');
    await expect(here.restoreTo(target, 'spaced')).rejects.toMatchObject({ code: 'restore.noSpace' });
    expect(readdirSync(disk.path)).toEqual([]);
    const tablespaces = [{ from: place, to: path.join(other.path, 'fast') }];
    await here.restoreTo(target, 'spaced', { cluster: { tablespaces } });
    expect(readdirSync(other.path)).toEqual(['fast']);
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
