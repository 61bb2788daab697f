import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  initialiseRepository,
  newKeyFile,
  openRepository,
  parseKeyFile,
  type BackupPlan,
  type Collection,
  type Repository,
} from '@catena/vault';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import type { BackupOutcome } from '../port/source-driver.ts';
import { letClockTick, makeSampleTree, ScratchFolder, seededBytes } from '../testing/sample-tree.ts';
import { compareTrees, compareWithBackup } from './comparing/compare-trees.ts';
import { filesDriver } from './files-driver.ts';

/** More than is read into memory as a whole. */
const pagesSize = 9 * 1024 * 1024;

describe.each(['encrypted', 'plain'])('the files driver on a real repository that is %s', (kind) => {
  const scratch = new ScratchFolder();
  const source = scratch.at('source');
  const keys = kind === 'encrypted' ? [parseKeyFile(newKeyFile())] : [];
  let repository: Repository;
  let collection: Collection;
  let runs = 0;

  beforeAll(async () => {
    repository = await initialiseRepository(scratch.at('repository'), { keys, installation: 'here' });
    collection = repository.collection('files');
    makeSampleTree(source, { deep: false });
    scratch.write('source/pages.db', seededBytes(pagesSize, 7));
  });
  afterAll(async () => {
    await repository.close();
    scratch.remove();
  });

  /** Takes a backup and keeps a copy of the source as it was then. */
  async function backup(
    id: string,
    type: BackupPlan['type'],
    more: Partial<BackupPlan> = {},
  ): Promise<BackupOutcome> {
    await letClockTick();
    runs += 1;
    const family = await filesDriver.family({ path: source });
    const writer = await collection.beginBackup({
      backupId: id,
      run: `run-${runs}`,
      attempt: 1,
      type,
      source: { name: 'source', uid: 'source', family, driver: 'files' },
      startedAt: new Date(),
      ...more,
    });
    const outcome = await filesDriver.backup({ path: source }, writer);
    await writer.finish(outcome.summary);
    execFileSync('rm', ['-rf', scratch.at(`was-${id}`)]);
    execFileSync('cp', ['-a', source, scratch.at(`was-${id}`)]);
    return outcome;
  }

  it('builds a chain of which every backup gives back the source as it was then', async () => {
    const full = await backup('full', 'full');
    expect(full.warnings).toBe(0);

    const pages = fs.openSync(scratch.at('source/pages.db'), 'r+');
    fs.writeSync(pages, seededBytes(8192, 8), 0, 8192, 100 * 8192);
    fs.closeSync(pages);
    scratch.write('source/new', 'new');
    fs.rmSync(scratch.at('source/plain.txt'));
    const incremental = await backup('incr', 'incremental', { parent: 'full' });
    expect(incremental.filesRead).toBe(2);

    fs.renameSync(scratch.at('source/new'), scratch.at('source/newer'));
    fs.chmodSync(scratch.at('source/a'), 0o600);
    const differential = await backup('diff', 'differential', { base: 'full' });
    expect(differential.filesRead).toBe(3);

    await backup('copy', 'full', { copyOnly: true });

    const reopened = await openRepository(scratch.at('repository'), { keys });
    for (const id of kind === 'encrypted' ? ['full', 'incr', 'diff', 'copy'] : ['incr']) {
      const reader = await reopened.collection('files').openBackup(id);
      const target = scratch.at('restored', id);
      const outcome = await filesDriver.restore(reader, target, { run: `restore-${id}` });
      expect(outcome.warnings).toEqual([]);
      expect(await compareTrees(scratch.at(`was-${id}`), target)).toEqual([]);
      expect(await compareWithBackup(reader, target)).toEqual([]);
      await reader.close();
    }
    await reopened.close();
  });

  it('restores a part by glob, and brings a tree back to an earlier backup writing only what differs', async () => {
    const reader = await collection.openBackup('full');
    await filesDriver.restore(reader, scratch.at('part'), { run: 'part', globs: ['a.b', '**/shebang'] });
    expect(fs.readdirSync(scratch.at('part'))).toEqual(['a.b', 'shebang']);
    const outcome = await filesDriver.restore(reader, scratch.at('restored/incr'), {
      run: 'back',
      overwrite: true,
    });
    expect(outcome.bytesWritten).toBe(pagesSize + 'plain\n'.length);
    fs.rmSync(scratch.at('restored/incr/new'));
    const differences = await compareTrees(scratch.at('was-full'), scratch.at('restored/incr'));
    // Removing the file by hand has touched the folder it was in.
    expect(
      differences.map(({ difference, path }) => `${difference} ${Buffer.from(path).toString()}`),
    ).toEqual(['mtime ']);
    await reader.close();
  });

  it('reads nothing when nothing has changed', async () => {
    await backup('next', 'full');
    const outcome = await backup('same', 'incremental', { parent: 'next' });
    expect(outcome).toMatchObject({ filesRead: 0, bytesRead: 0 });
    expect(outcome.unchanged).toBeGreaterThan(20);
  });
});

(process.env['CATENA_TEST_LONG'] === '1' ? describe : describe.skip)(
  'a sparse file of more than 4 GiB',
  () => {
    it('comes back with its holes', async () => {
      using scratch = new ScratchFolder();
      const GiB = 1024 ** 3;
      const path = scratch.write('source/huge', '');
      const file = fs.openSync(path, 'r+');
      for (const at of [0, 4 * GiB - 10, 5 * GiB + 1])
        fs.writeSync(file, seededBytes(100, at % 97), 0, 100, at);
      fs.ftruncateSync(file, 5 * GiB + 4097);
      fs.closeSync(file);
      const repository = await initialiseRepository(scratch.at('repository'), {
        keys: [],
        installation: 'here',
      });
      const collection = repository.collection('huge');
      const writer = await collection.beginBackup({
        ...{ backupId: 'huge', run: 'run-1', attempt: 1, type: 'full', startedAt: new Date() },
        source: { name: 'huge', uid: 'huge', family: 'huge', driver: 'files' },
      });
      const outcome = await filesDriver.backup({ path: scratch.at('source') }, writer);
      const { manifest } = await writer.finish(outcome.summary);
      expect(outcome.bytes).toBe(5 * GiB + 4097);
      expect(manifest.statistics.bytesStored).toBeLessThan(1_000_000);
      const reader = await collection.openBackup('huge');
      const restored = await filesDriver.restore(reader, scratch.at('restored'), { run: 'run-2' });
      expect(restored.warnings).toEqual([]);
      await reader.close();
      await repository.close();
      expect(fs.statSync(scratch.at('restored', 'huge')).blocks).toBeLessThan(100);
      expect(await compareTrees(scratch.at('source'), scratch.at('restored'))).toEqual([]);
    }, 600_000);
  },
);
