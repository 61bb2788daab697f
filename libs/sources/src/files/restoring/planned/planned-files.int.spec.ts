import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DamagedObjectError,
  initialiseRepository,
  newKeyFile,
  openRepository,
  parseKeyFile,
  type BackupReader,
  type Collection,
  type ReadOptions,
} from '@catena/vault';
import { cutInHalf, flipBit, objectsIn, removeObject } from '@catena/vault/testing';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { RestoreOptions, RestoreOutcome } from '../../../port/source-driver.ts';
import { ScratchFolder, seededBytes } from '../../../testing/sample-tree.ts';
import { compareTrees } from '../../comparing/compare-trees.ts';
import { filesDriver } from '../../files-driver.ts';

const mebibyte = 1024 * 1024;
/** Of content that is zeros. */
const zeroBytes = 6 * mebibyte + 101;
const smallFiles = 150;
const moreLarge = 6;

/** Threads of the vault that this process has; some may be left of what ran in it before. */
function threadsAtWork(): string[] {
  return fs.readdirSync('/proc/self/task').filter((task) => {
    try {
      return fs.readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim() === 'catena-vault';
    } catch {
      return false; // ended since it was listed
    }
  });
}

/** Files that threads of their own restore: more and larger ones than are worth no thread. */
describe.each(['encrypted', 'plain'])('restoring by plan from a repository that is %s', (kind) => {
  const scratch = new ScratchFolder();
  const keys = kind === 'encrypted' ? [parseKeyFile(newKeyFile())] : [];
  const source = scratch.at('source');
  const whole = scratch.at('whole');
  const broken = scratch.at('broken');

  beforeAll(async () => {
    for (let i = 0; i < smallFiles; i++) scratch.write(`source/small ${i % 3}/${i}`, seededBytes(i * 40, i));
    const large = Buffer.concat([
      seededBytes(5 * mebibyte, 1),
      Buffer.alloc(2 * mebibyte + 100),
      Buffer.alloc(2 * mebibyte, 'repeats itself '),
      Buffer.alloc(mebibyte),
    ]);
    scratch.write('source/large', large);
    // More of them than there are threads, and small ones behind them.
    for (let i = 0; i < moreLarge; i++)
      scratch.write(`source/large ${i}`, Buffer.alloc(5 * mebibyte, `and again ${i}`));
    scratch.write('source/zeros', Buffer.alloc(3 * mebibyte + 1));
    scratch.write('source/small 1/empty', '');
    fs.utimesSync(scratch.at('source/large'), 1_000_000_000.25, 1_000_000_000.25);
    fs.chmodSync(scratch.at('source/small 0/0'), 0o604);

    const repository = await initialiseRepository(whole, { keys, installation: 'here' });
    const collection = repository.collection('files');
    await backup(collection, 'full', { type: 'full' });
    const file = fs.openSync(scratch.at('source/large'), 'r+');
    for (let page = 0; page < 640; page += 50)
      fs.writeSync(file, seededBytes(8192, page), 0, 8192, page * 8192);
    fs.closeSync(file);
    await backup(collection, 'incremental', { type: 'incremental', parent: 'full' });
    await repository.close();
  });
  afterEach(() => {
    for (const made of ['broken', 'target']) execFileSync('rm', ['-rf', scratch.at(made)]);
  });
  afterAll(() => scratch.remove());

  async function backup(
    collection: Collection,
    id: string,
    lineage: { type: 'full' } | { type: 'incremental'; parent: string },
  ): Promise<void> {
    const family = await filesDriver.family({ path: source });
    const writer = await collection.beginBackup({
      backupId: id,
      run: `run-${id}`,
      attempt: 1,
      source: { name: 'source', uid: 'source', family, driver: 'files' },
      startedAt: new Date(),
      ...lineage,
    });
    await writer.finish((await filesDriver.backup({ path: source }, writer)).summary);
  }

  async function reading<T>(
    root: string,
    work: (reader: BackupReader) => Promise<T>,
    options: ReadOptions = {},
  ): Promise<T> {
    const repository = await openRepository(root, { keys });
    const reader = await repository.collection('files').openBackup('incremental', options);
    try {
      return await work(reader);
    } finally {
      await reader.close();
      await repository.close();
    }
  }

  const restore = (root: string, options: Partial<RestoreOptions> = {}): Promise<RestoreOutcome> =>
    reading(root, (reader) =>
      filesDriver.restore(reader, scratch.at('target'), { run: 'restore', ...options }),
    );

  /** A copy of the repository in which something is done to the first pack of the full. */
  async function breaking(damage: (root: string, object: string) => Promise<void>): Promise<string> {
    execFileSync('cp', ['-a', whole, broken]);
    const pack = (await objectsIn(broken)).find((name) => /run-full.*pack-/.test(name));
    await damage(broken, pack!);
    return pack!;
  }

  it('gives everything back as it was, with holes, and closes what it opened', async () => {
    const outcome = await restore(whole);

    expect(await compareTrees(source, scratch.at('target'))).toEqual([]);
    expect(outcome.warnings).toEqual([]);
    expect(outcome.files).toBe(smallFiles + moreLarge + 3);
    expect(outcome.bytesWritten).toBe(outcome.bytes);
    expect(fs.statSync(scratch.at('target', 'zeros')).blocks).toBe(0);
    expect(fs.statSync(scratch.at('target', 'large')).blocks * 512).toBeLessThan(8 * mebibyte);
    expect(scratch.openFiles()).toEqual([]);
  });

  const wrongBit = (root: string, object: string) => flipBit(root, object, 0.3);
  const damages = [
    ['has a wrong bit', wrongBit],
    ['is cut short', cutInHalf],
    ['is gone', removeObject],
  ] as const;
  it.each(damages.slice(0, kind === 'encrypted' ? 3 : 1))(
    'names object and file when a pack %s, and leaves nothing',
    async (_, damage) => {
      const pack = await breaking(damage);
      const error = await restore(broken).catch((thrown: unknown) => thrown);

      expect(error).toBeInstanceOf(DamagedObjectError);
      const { object, files, backups } = (error as DamagedObjectError).damage;
      expect(object).toBe(pack);
      expect(backups).toEqual(['incremental']);
      expect(files).toHaveLength(1);
      expect(fs.readdirSync(scratch.at())).not.toContain('target');
      expect(fs.readdirSync(scratch.at()).filter((name) => name.includes('catena-restore'))).toEqual([]);
    },
  );

  // What follows does not depend on how units are sealed.
  if (kind === 'plain') return;

  it('restores what a repair overlay has mended', async () => {
    await breaking(wrongBit);
    const [copy, damaged] = [await openRepository(whole, { keys }), await openRepository(broken, { keys })];
    const collection = damaged.collection('files');
    const { damages } = await collection.verify({ depth: 'checksums' });
    for (const damage of damages) await collection.repair(damage, copy.collection('files'));
    await Promise.all([copy.close(), damaged.close()]);

    await restore(broken);
    expect(await compareTrees(source, scratch.at('target'))).toEqual([]);
  });

  it('goes through the limits with every byte, and uses no more threads than it may', async () => {
    let written = 0;
    const before = new Set(threadsAtWork());
    const threads = new Set<string>();
    const write = {
      take: (bytes: number) => {
        written += bytes;
        return Promise.resolve();
      },
    };
    const progress = (): void => {
      for (const thread of threadsAtWork()) if (!before.has(thread)) threads.add(thread);
    };
    const { bytes } = await restore(whole, { limits: { write, workers: 1 }, progress });
    // Blocks that are not all zeros are written whole.
    expect(written).toBeGreaterThanOrEqual(bytes - zeroBytes);
    expect(written).toBeLessThan(bytes - zeroBytes + 64 * 1024);
    expect(threads.size).toBe(1);
  });

  it('stops when it is cancelled, and leaves nothing', async () => {
    const cancelling = new AbortController();
    const progress = ({ bytes }: { bytes: number }) => {
      if (bytes > 0) cancelling.abort(new Error('cancelled'));
    };
    await expect(restore(whole, { signal: cancelling.signal, progress })).rejects.toThrow('cancelled');
    expect(fs.readdirSync(scratch.at()).filter((name) => /target|catena-restore/.test(name))).toEqual([]);
    expect(scratch.openFiles()).toEqual([]);
  });

  it('goes on where an attempt ended before', async () => {
    const staged = path.join(scratch.at(), '.target.catena-restore-restore');
    await expect(
      restore(whole, { onFailure: 'keep', beforeVisible: () => Promise.reject(new Error('lost')) }),
    ).rejects.toThrow('lost');
    const { mtimeNs, ino } = fs.statSync(path.join(staged, 'tree', 'large'), { bigint: true });

    const outcome = await restore(whole);
    expect(outcome.bytesWritten).toBe(0);
    expect(fs.statSync(scratch.at('target', 'large'), { bigint: true })).toMatchObject({ mtimeNs, ino });
    expect(await compareTrees(source, scratch.at('target'))).toEqual([]);
  });
});
