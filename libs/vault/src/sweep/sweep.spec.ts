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
  RunSweptError,
  type Repository,
  type RunStanding,
  type SweepOptions,
} from '../index.ts';
import { BackupHistory, planOf, temporaryFolder } from '../testing/index.ts';

const KEYS = [parseKeyFile(newKeyFile())];
const DAY = 86_400_000;

describe('sweeping a repository', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let history: BackupHistory;
  const standings = new Map<string, RunStanding>();
  beforeEach(async () => {
    folder = await temporaryFolder();
    history = new BackupHistory(
      await initialiseRepository(folder.path, { keys: KEYS, installation: 'here' }),
    );
    standings.clear();
  });
  afterEach(async () => {
    await history.repository.close();
    await folder.remove();
  });

  const sweepOf = (repository: Repository, more: Partial<SweepOptions> = {}) =>
    repository.sweep({
      installation: 'here',
      standingOf: (run) => Promise.resolve(standings.get(run) ?? 'over'),
      idleMilliseconds: DAY,
      ...more,
    });
  const sweep = (more?: Partial<SweepOptions>) => sweepOf(history.repository, more);
  const packsOf = async (run: string) =>
    (await history.names()).filter((name) => name.includes(`/${run}.`) && /(pack|map|tree)-/.test(name));

  it('removes what a run that made no backup has left, and says how much', async () => {
    await history.take('f1');
    await history.interrupt('lost');
    const left = await packsOf('run-lost');
    expect(left.length).toBeGreaterThan(1);
    const report = await sweep();
    expect(report.swept).toMatchObject([{ collection: 'c', run: 'run-lost', objects: left.length }]);
    expect(report.bytes).toBeGreaterThan(50_000);
    expect(report).toMatchObject({ left: [], unsure: [], unfinished: { objects: 0 }, objects: left.length });
    expect(await packsOf('run-lost')).toEqual([]);
    await history.expectRestorable('f1');
    expect(await sweep()).toMatchObject({ swept: [], objects: 0 });
  });

  it('removes what superseded attempts left, but not what a later one took over from them', async () => {
    await history.interrupt('b', { attempt: 1 });
    const adopted = (await packsOf('run-b')).length;
    await history.take('b', { attempt: 2 });
    const late = await history.begin('b', { attempt: 3 });
    await late.writer.abandon();
    await history.expectRestorable('b');
    const report = await sweep();
    const names = await packsOf('run-b');
    expect(report.objects).toBeGreaterThan(0);
    expect(names.filter((name) => name.includes('/run-b.1.')).length).toBeLessThanOrEqual(adopted);
    expect(names.filter((name) => name.includes('/run-b.3.'))).toEqual([]);
    await history.expectRestorable('b');
  });

  it.each(['open', 'recent', 'unknown'] as const)(
    'leaves and names what is of a run that is %s',
    async (standing) => {
      await history.interrupt('b');
      standings.set('run-b', standing);
      const before = await history.names();
      const report = await sweep();
      expect(report).toMatchObject({ swept: [], objects: 0, left: [{ run: 'run-b', standing }] });
      expect(await history.names()).toEqual(before);
      await history.take('b', { attempt: 2 });
      await history.expectRestorable('b');
    },
  );

  it('does nothing to a backup that is being written meanwhile, whose packs nobody lists yet', async () => {
    await history.take('f1');
    await history.interrupt('lost');
    const one = await history.begin('i1', { type: 'incremental', parent: 'f1' });
    standings.set('run-i1', 'open');
    await sweep();
    await one.finish();
    expect(await packsOf('run-lost')).toEqual([]);
    await history.expectRestorable('f1', 'i1');
  });

  it('with dryRun says the same and removes nothing', async () => {
    await history.interrupt('lost');
    const before = await history.names();
    const said = await sweep({ dryRun: true });
    expect(await history.names()).toEqual(before);
    expect(await sweep()).toEqual(said);
    expect(await history.names()).not.toEqual(before);
  });

  it('nobody makes a backup of what was swept, however late he comes', async () => {
    await history.take('f1');
    const late = await history.begin('lost', { attempt: 1 });
    expect((await sweep()).objects).toBeGreaterThan(0);
    await expect(late.finish()).rejects.toThrow(RunSweptError);
    const again = history.collection().beginBackup(planOf('lost', { attempt: 2 }));
    await expect(again).rejects.toMatchObject({ code: 'vault.run-swept' });
    expect(await history.collection().adopt('run-lost')).toBeUndefined();
    await history.expectRestorable('f1');
    // What the latecomer still made durable goes the next time.
    await sweep();
    expect(await packsOf('run-lost')).toEqual([]);
  });

  it('a manifest that appears while it looks wins', async () => {
    const one = await history.begin('b');
    await sweep({ standingOf: async () => (await one.finish(), 'over') });
    await history.expectRestorable('b');
  });

  it('touches nothing in a collection with a manifest that cannot be read, and names it', async () => {
    await history.take('f1');
    await history.interrupt('lost');
    const { manifest } = await history.collection().backup('f1');
    const broken = path.join(folder.path, 'c', manifest.folder, 'manifest.json');
    await rm(broken);
    await writeFile(broken, '{}');
    const before = await history.names();
    const report = await sweep();
    expect(report.unsure).toEqual([{ collection: 'c', manifest: `c/${manifest.folder}/manifest.json` }]);
    expect(await history.names()).toEqual(before);
  });

  it('needs no key, and is refused to all but the owner', async () => {
    await history.interrupt('lost');
    const locked = await openRepository(folder.path);
    await expect(sweepOf(locked, { installation: 'there' })).rejects.toThrow(NotOwnerError);
    expect((await packsOf('run-lost')).length).toBeGreaterThan(0);
    expect((await sweepOf(locked)).objects).toBeGreaterThan(0);
    await locked.close();
  });

  it('stops when the repository gets another owner in the middle', async () => {
    await history.interrupt('lost');
    const standingOf = async () => {
      await history.repository.takeOwnership('there');
      return 'over' as const;
    };
    await expect(sweep({ standingOf })).rejects.toThrow(NotOwnerError);
    expect((await packsOf('run-lost')).length).toBeGreaterThan(0);
  });

  it('removes unfinished files when nobody has written to them for long, by the clock of the store', async () => {
    await history.take('f1');
    const writer = await history.repository.store.create('c/never');
    await writer.write(Buffer.alloc(1000));
    expect((await sweep()).unfinished.objects).toBe(0);
    const report = await sweep({ idleMilliseconds: -1 });
    expect(report.unfinished).toEqual({ objects: 1, bytes: 1000 });
    expect(await readdir(path.join(folder.path, '.unfinished'))).toEqual([]);
    await expect(writer.commit()).rejects.toMatchObject({ code: 'vault.store-gone', retryable: true });
    await history.expectRestorable('f1');
  });

  it('goes on where another left off, wherever that was', async () => {
    await history.take('f1');
    await history.interrupt('lost');
    await history.interrupt('b', { attempt: 1 });
    await history.take('b', { attempt: 2 });
    for (let allowed = 0; ; allowed++) {
      let left = allowed;
      const mayChange = () => {
        if (left === 0) throw new Error('killed');
        left -= 1;
      };
      const store = new (class extends FsStore {
        override async delete(name: string): Promise<boolean> {
          mayChange();
          return await super.delete(name);
        }
        override async putIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
          mayChange();
          return await super.putIfAbsent(name, bytes);
        }
      })(folder.path);
      const killed = await openRepository(store);
      const ended = await sweepOf(killed).then(
        () => true,
        (error: unknown) => {
          expect((error as Error).message).toBe('killed');
          return false;
        },
      );
      await killed.close();
      await history.expectRestorable('f1', 'b');
      if (ended) break;
    }
    expect(await packsOf('run-lost')).toEqual([]);
  });

  it('never takes an object from a backup, whatever was interrupted, superseded, pruned and swept in whatever order', async () => {
    let histories = 0;
    const step = fc.tuple(
      fc.constantFrom(
        'full',
        'incremental',
        'differential',
        'interrupted',
        'resumed',
        'superseded',
        'prune',
        'sweep',
      ),
      fc.nat(20),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
        const at = path.join(folder.path, `history-${++histories}`);
        const repository = await initialiseRepository(at, { installation: 'here' });
        const one = new BackupHistory(repository);
        const alive = new Set<string>();
        const open = new Set<string>();
        const standingOf = (run: string) =>
          Promise.resolve(open.has(run) ? ('open' as const) : ('over' as const));
        for (const [index, [kind, pick]] of steps.entries()) {
          const on = [...alive][pick % Math.max(1, alive.size)];
          const backup = `b${index}`;
          const lineage =
            on === undefined || kind === 'full' ? {} : { type: 'incremental' as const, parent: on };
          if (kind === 'prune' || kind === 'sweep') {
            const chosen = [...alive].filter((_, nth) => ((pick + nth) & 1) === 0);
            if (kind === 'sweep') await sweepOf(repository, { standingOf });
            else for (const gone of (await one.prune(...chosen)).deleted) alive.delete(gone.backup);
            await one.expectRestorable(...alive);
            continue;
          }
          open.add(`run-${backup}`);
          if (kind !== 'interrupted' && kind !== 'resumed') await one.take(backup, lineage);
          else await one.interrupt(backup, lineage);
          if (kind === 'resumed') {
            await sweepOf(repository, { standingOf });
            await one.take(backup, { ...lineage, attempt: 2 });
          }
          if (kind === 'superseded') await one.interrupt(backup, { ...lineage, attempt: 2 });
          open.delete(`run-${backup}`);
          if (kind !== 'interrupted') alive.add(backup);
        }
        await sweepOf(repository, { standingOf });
        await one.expectRestorable(...alive);
        expect(await sweepOf(repository, { standingOf })).toMatchObject({ objects: 0, left: [] });
        await repository.close();
      }),
      { numRuns: process.env['CATENA_TEST_LONG'] === '1' ? 60 : 4 },
    );
  }, 600_000);
});
