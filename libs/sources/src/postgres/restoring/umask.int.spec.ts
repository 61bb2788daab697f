import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScratchCopy } from '../tables/scratch-copy.ts';
import { BackedUpCluster } from '../testing/backed-up-cluster.ts';

/** Only root restores for somebody else. */
const isTested = process.env['CATENA_TEST_LONG'] === '1' && process.geteuid?.() === 0;

(isTested ? describe : describe.skip)(
  'a restore of a cluster by root under a umask that shuts others out',
  () => {
    let here: BackedUpCluster;
    let umask: number;

    beforeAll(async () => {
      here = await BackedUpCluster.start();
      const spaced = here.at('spaced');
      mkdirSync(spaced, { mode: 0o700 });
      const { uid, gid } = statSync(here.cluster.server.dataDir);
      chownSync(spaced, uid, gid);
      await here.cluster.sql(`CREATE TABLESPACE fast LOCATION '${spaced}'`);
      await here.cluster.sql('CREATE TABLE kept TABLESPACE fast AS SELECT 1 AS n');
      await here.backup('full', 'full');
      umask = process.umask(0o077);
    });
    afterAll(async () => {
      process.umask(umask);
      await here[Symbol.asyncDispose]();
    }, 60_000);

    it('lets the server through the folders that it makes, and nobody into its data', async () => {
      const target = here.at('made', 'deep', 'data');
      const { cluster } = await here.restoreTo(target, 'full', { cluster: { start: 'stopAgain' } });
      expect(cluster?.reached?.position).toBe(cluster?.planned);
      expect(statSync(target).mode & 0o777).toBe(0o700);
      for (const folder of [here.at('made'), here.at('made', 'deep'), `${target}.tablespaces`])
        expect([folder, statSync(folder).mode & 0o777]).toEqual([folder, 0o711]);
      rmSync(here.at('made'), { recursive: true });
    });

    it('lets the server of a copy that is looked into through as well', async () => {
      const scratch = here.at('made', 'for', 'copies');
      const reader = await here.collection.openBackup('full');
      {
        await using copy = await ScratchCopy.make(reader, { scratch }, { run: 'copy' });
        using session = await copy.session('catena');
        expect(await session.rows('SELECT n FROM public.kept')).toEqual([{ n: 1 }]);
      }
      await reader.close();
      expect(readdirSync(scratch)).toEqual([]);
      rmSync(here.at('made'), { recursive: true });
    });

    it('removes what it made when it fails', async () => {
      const target = here.at('failed', 'deep', 'data');
      const restore = here.restoreTo(target, 'full', {
        beforeVisible: () => Promise.reject(new Error('lost')),
      });
      await expect(restore).rejects.toThrow('lost');
      expect(existsSync(here.at('failed'))).toBe(false);
    });

    it('is refused before anything is written where its server would not get through', async () => {
      const closed = here.at('closed');
      mkdirSync(closed);
      chmodSync(closed, 0o700);
      let written = 0;
      const restore = here.restoreTo(path.join(closed, 'deep', 'data'), 'full', {
        cluster: { start: 'stopAgain' },
        progress: () => (written += 1),
      });
      await expect(restore).rejects.toMatchObject({
        code: 'restore.targetNotUsable',
        message: expect.stringContaining(`'${closed}'`),
        remedy: expect.stringContaining('chmod'),
      });
      expect([written, existsSync(path.join(closed, 'deep'))]).toEqual([0, false]);
      await here.restoreTo(path.join(closed, 'data'), 'full');
    });
  },
);
