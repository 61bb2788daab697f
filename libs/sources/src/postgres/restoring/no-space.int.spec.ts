import { readdirSync } from 'node:fs';
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
});
