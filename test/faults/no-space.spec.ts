import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schedulerRequests, type AnyRecordedEvent } from '@catena/events';
import { command, persist } from '../platform/operator.ts';
import { flawsOf } from '../platform/proof.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { canMountTmpfs, mountTmpfs, unmount } from '../platform/small-disk.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;

if (canMountTmpfs()) noSpace();
else
  describe('a repository or a target without room', () => {
    it('is not tested here: mounting a small file system needs root', () => {
      expect(canMountTmpfs()).toBe(false);
    });
  });

/** Fills a file system, all but so many bytes. */
function fill(folder: string, butFor: number): void {
  const spare = path.join(folder, 'spare');
  const ballast = openSync(path.join(folder, 'ballast'), 'w');
  const reserve = openSync(spare, 'w');
  try {
    for (let left = butFor; left > 0; left -= 4096) writeSync(reserve, Buffer.alloc(4096, 1));
    for (const page = Buffer.alloc(4096, 1); ;) writeSync(ballast, page);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(ballast);
    closeSync(reserve);
    rmSync(spare);
  }
}

function noSpace(): void {
  let platform: TestPlatform;
  let tree: ProtectedTree;
  let disk: string;

  beforeAll(async () => {
    platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
    tree = await ProtectedTree.define(platform, 'letters', { megabytes: 12 });
    mkdirSync(tree.where.repository, { recursive: true });
    disk = tree.where.repository;
    mountTmpfs(disk, 64);
    await platform.apply(`apiVersion: catena/v1
kind: Schedule
metadata: {name: nightly}
spec:
  source: letters
  repository: ${tree.repository}
  firstRun: scheduled
  full: "0 0 1 1 *"
  retry: {firstDelay: 2s}
`);
    await finished(await askForBackup());
  }, PATIENCE);

  afterAll(async () => {
    await platform.stop();
    unmount(disk);
    rmSync(platform.folder, { recursive: true, force: true });
  }, PATIENCE);

  const makeRoom = () => rmSync(path.join(disk, 'ballast'));

  async function askForBackup(): Promise<string> {
    const wanted = { ...command(), schedule: 'nightly', cadence: 'full' as const };
    return (await persist(() => platform.client.ask(schedulerRequests.runSchedule, wanted))).run;
  }

  async function finished(run: string): Promise<void> {
    const outcome = await platform.outcome(run);
    expect(outcome.state).toMatch(/^completed/);
    if (outcome.event.type === 'run.completed') tree.remember(outcome.event.data.backup ?? '');
  }

  async function failureOf(
    run: string,
  ): Promise<Extract<AnyRecordedEvent, { type: 'run.attempt-failed' }>['data']['failure']> {
    return (await platform.event('run.attempt-failed', ({ aggregate }) => aggregate.id === run)).data.failure;
  }

  describe('a repository without room', () => {
    it(
      'refuses a backup before anything is read, with figures; it is made when there is room',
      async () => {
        tree.edit();
        fill(disk, 5_000_000);
        const run = await askForBackup();
        const failure = await failureOf(run);
        expect(failure).toMatchObject({ code: 'repository.space-short', retryable: true });
        expect(failure.message).toMatch(/has 4\.\d MiB free; about 1\d\.\d MiB is needed, as bkp-\w+ took/);
        expect(await tree.found()).toHaveLength(tree.remembered.length);
        makeRoom();
        await finished(run);
        expect(await flawsOf(platform, [tree])).toEqual([]);
      },
      PATIENCE,
    );

    if (atLength)
      it(
        'that is full in the middle fails by name, shows no half backup, and the next attempt makes it',
        async () => {
          tree.edit();
          // Enough to begin with, and not enough to end.
          fill(disk, 9_000_000);
          const run = await askForBackup();
          expect(await failureOf(run)).toMatchObject({ code: 'vault.store-full', retryable: true });
          expect(await tree.found()).toHaveLength(tree.remembered.length);
          expect(await tree.flaws()).toEqual([]);
          makeRoom();
          await finished(run);
          expect(await flawsOf(platform, [tree])).toEqual([]);
        },
        PATIENCE,
      );
  });

  describe('a target without room', () => {
    const target = () => path.join(platform.folder, 'small', 'restored');
    beforeAll(() => {
      mkdirSync(path.dirname(target()));
      mountTmpfs(path.dirname(target()), 16);
    });
    afterAll(() => unmount(path.dirname(target())));

    it(
      'refuses a restore that cannot fit before anything is written, with figures',
      async () => {
        fill(path.dirname(target()), 4_000_000);
        const outcome = await platform.restore(tree.repository, tree.remembered.at(-1) ?? '', target());
        expect(outcome).toMatchObject({ state: 'failed', failure: { code: 'restore.noSpace' } });
        expect(readdirSync(path.dirname(target()))).toEqual(['ballast']);
      },
      PATIENCE,
    );

    it(
      'that is full in the middle fails by name and leaves nothing; asked for again when there is room, it is made',
      async () => {
        const room = path.dirname(target());
        rmSync(path.join(room, 'ballast'));
        const marker = await platform.doom('mover', 'mover-1', 'mover.during-restore', { signal: 'SIGSTOP' });
        const run = await platform.requestRestore(tree.repository, tree.remembered.at(-1) ?? '', target());
        await platform.standsStill('mover-1', marker);
        fill(room, 100_000);
        process.kill(platform.pidOf('mover-1'), 'SIGCONT');
        expect(await platform.outcome(run)).toMatchObject({
          state: 'failed',
          failure: {
            code: 'restore.noSpace',
            message: expect.stringContaining('Nothing has its final name'),
          },
        });
        expect(readdirSync(room)).toEqual(['ballast']);
        rmSync(path.join(room, 'ballast'));
        const again = await platform.restore(tree.repository, tree.remembered.at(-1) ?? '', target());
        expect(again.state).toBe('completed');
        expect(await tree.differences(tree.remembered.at(-1) ?? '', target())).toEqual([]);
        expect(readdirSync(room)).toEqual(['restored']);
      },
      PATIENCE,
    );
  });
}
