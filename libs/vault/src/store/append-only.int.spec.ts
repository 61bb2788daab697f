import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FsStore, initialiseRepository, newKeyFile, parseKeyFile } from '../index.ts';
import { BackupHistory, temporaryFolder } from '../testing/index.ts';

/** As whoever administers the disk does: names can be added in the folders, and none be taken away. */
function protect(folder: string, flag: '+a' | '-a'): void {
  execFileSync('find', [folder, '-type', 'd', '-exec', 'chattr', flag, '{}', '+'], { stdio: 'ignore' });
}

/** It needs root, and a file system that knows the attribute. */
function canProtect(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), 'catena-append-only-'));
  try {
    protect(folder, '+a');
    protect(folder, '-a');
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (canProtect())
  describe('a repository in folders from which nothing can be deleted (chattr +a)', () => {
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    let history: BackupHistory;
    beforeEach(async () => {
      folder = await temporaryFolder();
      const keys = [parseKeyFile(newKeyFile())];
      const repository = await initialiseRepository(new FsStore(folder.path), { keys, installation: 'here' });
      history = new BackupHistory(repository);
      await history.take('f1');
      await history.interrupt('lost');
      protect(folder.path, '+a');
    });
    afterEach(async () => {
      protect(folder.path, '-a');
      await history.repository.close();
      await folder.remove();
    });

    const sweep = () =>
      history.repository.sweep({
        installation: 'here',
        standingOf: () => Promise.resolve('over'),
        idleMilliseconds: 0,
      });

    it('takes backups, gives them back, verifies them, and takes keys', async () => {
      await history.take('i1', { type: 'incremental', parent: 'f1' });
      protect(folder.path, '+a');
      await history.take('f2');
      await history.collection().rotateKey();
      await history.take('i2', { type: 'incremental', parent: 'f2' });
      await history.collection().verify({ depth: 'presence', recordAs: 'tests' });
      await history.expectRestorable('f1', 'i1', 'f2', 'i2');
      expect((await history.collection().latest())?.backup).toBe('f2');
    });

    it('refuses to be pruned and swept, by name; nothing of a backup goes', async () => {
      const names = (await history.names()).filter((name) => !name.endsWith('/manifest.json'));
      await expect(history.prune('f1')).rejects.toMatchObject({
        code: 'vault.store-refused',
        retryable: false,
      });
      await expect(sweep()).rejects.toMatchObject({ code: 'vault.store-refused', retryable: false });
      expect((await history.names()).filter((name) => !name.endsWith('/manifest.json'))).toEqual(names);
      await history.expectRestorable('f1');
      protect(folder.path, '-a');
      expect((await sweep()).objects).toBeGreaterThan(0);
      await history.prune('f1');
      await history.expectRestorable();
    });
  });
else
  describe('a repository in folders from which nothing can be deleted', () => {
    it('is not tested here: chattr +a needs root and a file system that has it', () => {
      expect(canProtect()).toBe(false);
    });
  });
