import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  FsStore,
  initialiseRepository,
  newKeyFile,
  NotOwnerError,
  openRepository,
  parseKeyFile,
  UnreadableManifestError,
} from '../index.ts';
import { addTree, BackupHistory, planOf, seededBytes, temporaryFolder } from '../testing/index.ts';

const KEYS = [parseKeyFile(newKeyFile())];
const COLLECTION = 'c';

describe('pruning a collection', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let history: BackupHistory;
  beforeEach(async () => {
    folder = await temporaryFolder();
    history = new BackupHistory(
      await initialiseRepository(folder.path, { keys: KEYS, installation: 'here' }),
    );
  });
  afterEach(async () => {
    await history.repository.close();
    await folder.remove();
  });

  async function twoChains(): Promise<void> {
    await history.take('f1');
    await history.take('i1', { type: 'incremental', parent: 'f1' });
    await history.take('d1', { type: 'differential', base: 'f1' });
    await history.take('f2');
    await history.take('i2', { type: 'incremental', parent: 'f2' });
  }

  it('removes a chain with everything that belongs to it, and gives its bytes back', async () => {
    await twoChains();
    const size = async () => {
      let bytes = 0;
      for await (const object of history.repository.store.list('')) bytes += object.size;
      return bytes;
    };
    const before = await size();
    const report = await history.prune('f1', 'i1', 'd1');
    expect(report.deleted.map(({ backup }) => backup)).toEqual(['f1', 'i1', 'd1']);
    expect(report.bytes).toBe(before - (await size()));
    expect(report.needed).toEqual([]);
    const names = await history.names();
    expect(names.filter((name) => /run-(f1|i1|d1)\b/.test(name))).toEqual([]);
    const folders = await readdir(path.join(folder.path, COLLECTION, '2026', '11'));
    expect(folders).toHaveLength(1);
    await history.expectRestorable('f2', 'i2');
    expect((await history.collection().latest())?.backup).toBe('f2');
  });

  it('needs no key', async () => {
    await twoChains();
    const locked = await openRepository(folder.path);
    const backups = ['f1', 'i1', 'd1'].map((backup) => ({ backup, run: `run-${backup}` }));
    expect((await locked.prune(COLLECTION, { installation: 'here', backups })).deleted).toHaveLength(3);
    await locked.close();
    await history.expectRestorable('f2', 'i2');
  });

  it('leaves what a manifest that stays needs, and names it', async () => {
    await twoChains();
    const report = await history.prune('f1', 'd1');
    expect(report.needed).toEqual([{ backup: 'f1', by: ['i1'] }]);
    expect(report.deleted.map(({ backup }) => backup)).toEqual(['d1']);
    await history.expectRestorable('f1', 'i1', 'f2', 'i2');
  });

  it('leaves also what a condemned backup needs that has to stay for another', async () => {
    await history.take('f1');
    await history.take('f2');
    await history.take('d1', { type: 'differential', base: 'f1' });
    // Takes from the differential, and of the full nothing any more.
    await history.take('i1', { type: 'incremental', parent: 'd1' });
    const { manifest } = await history.collection().backup('i1');
    expect(manifest.backups).toEqual(['d1', 'i1']);
    const report = await history.prune('f1', 'd1');
    expect(report.needed).toEqual([
      { backup: 'd1', by: ['i1'] },
      { backup: 'f1', by: ['d1'] },
    ]);
    await history.expectRestorable('f1', 'f2', 'd1', 'i1');
  });

  it('done again it removes nothing and says the same', async () => {
    await twoChains();
    await history.prune('f1', 'i1', 'd1');
    expect(await history.prune('f1', 'i1', 'd1')).toEqual({
      deleted: ['f1', 'i1', 'd1'].map((backup) => ({ backup, bytes: 0 })),
      needed: [],
      objects: 0,
      bytes: 0,
    });
  });

  it('goes on where another left off, wherever that was, and nobody reads half a backup meanwhile', async () => {
    await twoChains();
    const gone = ['f1', 'i1', 'd1'];
    for (let allowed = 0; ; allowed++) {
      let left = allowed;
      const store = new (class extends FsStore {
        override async delete(name: string): Promise<boolean> {
          if (left === 0) throw new Error('killed');
          left -= 1;
          return await super.delete(name);
        }
      })(folder.path);
      const killed = await openRepository(store);
      const backups = gone.map((backup) => ({ backup, run: `run-${backup}` }));
      const ended = await killed.prune(COLLECTION, { installation: 'here', backups }).then(
        () => true,
        (error: unknown) => {
          expect((error as Error).message).toBe('killed');
          return false;
        },
      );
      await killed.close();
      await history.expectRestorable(...(await history.there()));
      if (ended) break;
    }
    await history.expectRestorable('f2', 'i2');
    expect((await history.names()).filter((name) => /run-(f1|i1|d1)/.test(name))).toEqual([]);
  });

  it('manifests go before anything else, those of dependents before their bases', async () => {
    await twoChains();
    const order: string[] = [];
    const store = new (class extends FsStore {
      override async delete(name: string): Promise<boolean> {
        order.push(name);
        return await super.delete(name);
      }
    })(folder.path);
    const repository = await openRepository(store);
    await repository.prune(COLLECTION, {
      installation: 'here',
      backups: ['f1', 'i1', 'd1'].map((backup) => ({ backup, run: `run-${backup}` })),
    });
    await repository.close();
    const manifests = order.filter((name) => name.endsWith('/manifest.json'));
    expect(order.slice(0, 3)).toEqual(manifests);
    expect(manifests.at(-1)).toMatch(/20-010000\.00\/manifest\.json$/);
    const kinds = order.map((name) => /\/(tree|map|pack|run)[-.]/.exec(name)?.[1]).filter(Boolean);
    expect(kinds.join(' ')).toMatch(/^((tree )*(map )*(pack )*run ?)+$/);
    expect(order.at(-1)).toMatch(/\/runs\/run-f1\.json$/);
  });

  it('sweeps what interrupted attempts of the run left', async () => {
    await twoChains();
    const started = await history.collection().beginBackup(planOf('f3'), { packBytes: 100_000 });
    await addTree(started, new Map([['a', seededBytes(300_000, 9)]]));
    await started.abandon();
    await history.take('f3', { attempt: 2 });
    await history.prune('f3');
    expect((await history.names()).filter((name) => name.includes('run-f3'))).toEqual([]);
  });

  it('is refused to all but the owner', async () => {
    await twoChains();
    await history.repository.takeOwnership('there');
    await expect(history.prune('f1', 'i1', 'd1')).rejects.toThrow(NotOwnerError);
    await history.expectRestorable('f1', 'i1', 'd1', 'f2', 'i2');
  });

  it('deletes nothing beside a manifest that cannot be read, unless that one goes too', async () => {
    await twoChains();
    const { manifest } = await history.collection().backup('i2');
    const broken = path.join(folder.path, COLLECTION, manifest.folder, 'manifest.json');
    await rm(broken);
    await writeFile(broken, '{}');
    await expect(history.prune('f1', 'i1', 'd1')).rejects.toThrow(UnreadableManifestError);
    await history.prune('f1', 'i1', 'd1', 'i2');
    await history.expectRestorable('f2');
  });

  it('never takes an object from a backup that stays, whatever is condemned in whatever order', async () => {
    let histories = 0;
    const kinds = fc.constantFrom('full', 'incremental', 'differential', 'prune');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(kinds, fc.nat(20)), { minLength: 3, maxLength: 12 }),
        async (steps) => {
          const repository = await initialiseRepository(path.join(folder.path, `history-${++histories}`), {
            installation: 'here',
          });
          const one = new BackupHistory(repository);
          const alive = new Set<string>();
          for (const [index, [kind, pick]] of steps.entries()) {
            const on = [...alive][pick % Math.max(1, alive.size)];
            const backup = `b${index}`;
            if (kind === 'prune' && on !== undefined) {
              const chosen = [...alive].filter((_, at) => ((pick + at) & 1) === 0);
              const { deleted } = await one.prune(...chosen);
              for (const gone of deleted) alive.delete(gone.backup);
              await one.expectRestorable(...alive);
              continue;
            }
            if (on === undefined || kind === 'full') await one.take(backup);
            else if (kind === 'incremental') await one.take(backup, { type: 'incremental', parent: on });
            else {
              const full = (await one.collection().backup(on)).manifest;
              if (full.type === 'full') await one.take(backup, { type: 'differential', base: on });
              else continue;
            }
            alive.add(backup);
          }
          await one.expectRestorable(...alive);
          await repository.close();
        },
      ),
      { numRuns: 8 },
    );
  });
});
