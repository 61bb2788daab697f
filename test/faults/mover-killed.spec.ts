import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BackupType } from '@catena/events';
import { until } from '../platform/operator.ts';
import { flawsOf } from '../platform/proof.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { atLength, SeededChance } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;
const MOVER = 'mover-1';

let platform: TestPlatform;
let tree: ProtectedTree;

beforeAll(async () => {
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
  tree = await ProtectedTree.define(platform, 'letters', { megabytes: 4 });
  await finished(await platform.requestBackup('letters', tree.repository));
}, PATIENCE);

afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

/** Waits for the end of a run, which must be a good one, and remembers what a backup must give back. */
async function finished(run: string, attempt = expect.any(Number) as unknown): Promise<void> {
  const outcome = await platform.outcome(run);
  expect(outcome).toMatchObject({ state: 'completed', event: { data: { attempt } } });
  const backup = outcome.event.type === 'run.completed' ? outcome.event.data.backup : undefined;
  if (backup !== undefined) tree.remember(backup);
}

/** Nothing is left of a restore beside its target. */
function beside(target: string): string[] {
  return readdirSync(path.dirname(target)).filter((name) => name.includes('.catena-restore-'));
}

describe('a mover that is killed during a backup', () => {
  const points: [point: string, type: BackupType, attempt: number][] = [
    ['mover.during-backup', 'differential', 2],
    ['vault.beforeManifest', 'incremental', 2],
    ['vault.afterManifest', 'full', 2],
    ['mover.after-report', 'incremental', 1],
  ];
  const more: typeof points = [
    ['mover.after-claim', 'incremental', 2],
    ['vault.afterPack', 'full', 2],
    ['mover.before-report', 'incremental', 2],
    ['vault.afterPacks', 'incremental', 2],
    ['vault.afterMaps', 'incremental', 2],
    ['mover.before-manifest', 'incremental', 2],
    ['vault.afterLatest', 'full', 2],
    ['mover.after-manifest', 'differential', 2],
  ];
  it.each(atLength ? [...points, ...more] : points)(
    'at %s of a backup of type %s: there is one whole backup of it, by attempt %i',
    async (point, type, attempt) => {
      tree.edit();
      const marker = await platform.doom('mover', MOVER, point);
      const run = await platform.requestBackup('letters', tree.repository, type);
      await finished(run, attempt);
      await until(`it dies at ${point}`, () => existsSync(marker));
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );
});

describe('a mover that is killed during a restore', () => {
  const points: (readonly [point: string, attempt: number])[] = [
    ['mover.during-restore', 2],
    ['files.restoreStaged', 2],
    ...(atLength
      ? ([
          ['mover.before-report', 2],
          ['mover.after-report', 1],
        ] as const)
      : []),
  ];
  it.each(points)(
    'at %s: what is restored appears whole, by attempt %i',
    async (point, attempt) => {
      const backup = tree.remembered.at(-1) ?? '';
      const target = tree.freshTarget();
      const marker = await platform.doom('mover', MOVER, point, { signal: 'SIGSTOP' });
      const run = await platform.requestRestore(tree.repository, backup, target);
      await platform.standsStill(MOVER, marker);
      expect(existsSync(target)).toBe(point.endsWith('-report'));
      platform.kill9(MOVER);
      await finished(run, attempt);
      expect(await tree.differences(backup, target)).toEqual([]);
      expect(beside(target)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'in place, with some things in place and some not: the next attempt finishes it',
    async () => {
      const backup = tree.remembered.at(-1) ?? '';
      tree.edit();
      const marker = await platform.doom('mover', MOVER, 'files.restoreMoved:2');
      const target = tree.where.source;
      await finished(await platform.requestRestore(tree.repository, backup, target, { overwrite: true }), 2);
      expect(existsSync(marker)).toBe(true);
      const differences = await tree.differences(backup, target);
      expect(differences.filter((one) => !one.includes(': extra: '))).toEqual([]);
      expect(beside(target)).toEqual([]);
    },
    PATIENCE,
  );
});

describe('a mover that is killed at random', () => {
  const seeds = Array.from({ length: atLength ? 40 : 2 }, (_, index) => index + 1);
  it.each(seeds)(
    'seed %i: what it worked on ends once and well',
    async (seed) => {
      const chance = new SeededChance(`mover-${seed}`);
      await platform.stopService(MOVER);
      await platform.startService('mover', MOVER);
      tree.edit();
      const backup = tree.remembered.at(-1) ?? '';
      const target = tree.freshTarget();
      const type = chance.pick(['full', 'incremental', 'differential'] as const);
      const runs = await Promise.all([
        platform.requestRestore(tree.repository, backup, target),
        platform.requestBackup('letters', tree.repository, type),
      ]);
      await platform.event('run.claimed', ({ aggregate }) => runs.includes(aggregate.id));
      await sleep(chance.whole(0, 150));
      platform.kill9(MOVER);
      for (const run of runs) await finished(run);
      expect(await tree.differences(backup, target)).toEqual([]);
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );
});
