import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compareTrees } from '@catena/sources';
import { until } from '../platform/operator.ts';
import { flawsOf, flawsOfRestore } from '../platform/proof.ts';
import { copyTree, ProtectedTree } from '../platform/protected-tree.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { logLines } from '../platform/service-log.ts';
import { TestPlatform } from '../platform/test-platform.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;
const STOPPED = 'mover-1';
const SUCCESSOR = 'mover-2';

let platform: TestPlatform;
let tree: ProtectedTree;

beforeAll(async () => {
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
  tree = await ProtectedTree.define(platform, 'letters');
  await remembered(await platform.requestBackup('letters', tree.repository));
}, PATIENCE);

afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

async function remembered(run: string, attempt = 1): Promise<string> {
  const outcome = await platform.outcome(run);
  expect(outcome).toMatchObject({ state: 'completed', event: { data: { attempt } } });
  const backup = outcome.event.type === 'run.completed' ? (outcome.event.data.backup ?? '') : '';
  if (backup !== '') tree.remember(backup);
  return backup;
}

/** Lets a mover take a run and stand still at a point of it. Nobody else is there to take it meanwhile. */
async function stopAt(point: string, ask: () => Promise<string>): Promise<string> {
  await platform.stopService(SUCCESSOR);
  const marker = await platform.doom('mover', STOPPED, point, { signal: 'SIGSTOP' });
  const run = await ask();
  await platform.standsStill(STOPPED, marker);
  return run;
}

/** Lets it go on, and waits until it has said its last word about the run. */
async function revive(mover: string, run: string): Promise<void> {
  process.kill(platform.pidOf(mover), 'SIGCONT');
  await until(`${mover} is through with ${run}`, () =>
    logLines(platform.home, mover).some(
      (line) => line['run'] === run && ['stopped', 'reported'].includes(String(line['message'])),
    ),
  );
}

const incremental = () => platform.requestBackup('letters', tree.repository, 'incremental');

describe('a mover that stands still during a backup is superseded, and harms nothing when it goes on', () => {
  it.each([
    'vault.beforeManifest',
    ...(atLength
      ? [
          'mover.before-report',
          'mover.after-claim',
          'mover.during-backup',
          'vault.afterPack',
          'vault.afterMaps',
          'mover.after-manifest',
        ]
      : []),
  ])(
    'stopped at %s',
    async (point) => {
      tree.edit();
      const run = await stopAt(point, incremental);
      await platform.startService('mover', SUCCESSOR);
      await remembered(run, 2);
      const history = await platform.historyOf(run);
      await revive(STOPPED, run);
      expect(await platform.historyOf(run)).toEqual(history);
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'also when its manifest comes first: the successor adopts it',
    async () => {
      tree.edit();
      const run = await stopAt('mover.before-manifest', incremental);
      const marker = await platform.doom('mover', SUCCESSOR, 'mover.before-manifest', { signal: 'SIGSTOP' });
      await platform.standsStill(SUCCESSOR, marker);
      await revive(STOPPED, run);
      await revive(SUCCESSOR, run);
      await remembered(run, 2);
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'also when it goes on under the successor at work',
    async () => {
      tree.edit();
      const run = await stopAt('mover.during-backup', incremental);
      const marker = await platform.doom('mover', SUCCESSOR, 'mover.during-backup', { signal: 'SIGSTOP' });
      await platform.standsStill(SUCCESSOR, marker);
      await revive(STOPPED, run);
      await revive(SUCCESSOR, run);
      await remembered(run, 2);
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );
});

describe('a mover that is told to stop during a run', () => {
  it(
    'gives it back, so that it is taken up at once',
    async () => {
      tree.edit();
      await platform.stopService(SUCCESSOR);
      await platform.doom('mover', STOPPED, 'mover.during-backup', { signal: 'SIGTERM' });
      const run = await incremental();
      await remembered(run, 2);
      const history = await platform.historyOf(run);
      expect(history.map(({ type }) => type)).toEqual([
        'run.requested',
        'run.planned',
        'run.claimed',
        'run.released',
        'run.claimed',
        'run.completed',
      ]);
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );
});

describe('a mover that stands still during a restore is superseded, and harms nothing when it goes on', () => {
  it.each([
    'files.restoreStaged',
    ...(atLength ? ['mover.after-claim', 'mover.during-restore', 'mover.before-report'] : []),
  ])(
    'stopped at %s',
    async (point) => {
      const backup = tree.remembered.at(-1)!;
      const target = tree.freshTarget();
      const run = await stopAt(point, () => platform.requestRestore(tree.repository, backup, target));
      expect(existsSync(target)).toBe(point === 'mover.before-report');
      await platform.startService('mover', SUCCESSOR);
      await remembered(run, 2);
      expect(await tree.differences(backup, target)).toEqual([]);
      const history = await platform.historyOf(run);
      await revive(STOPPED, run);
      expect(await platform.historyOf(run)).toEqual(history);
      expect(await tree.differences(backup, target)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'also when it goes on under the successor at work',
    async () => {
      const backup = tree.remembered.at(-1)!;
      const target = tree.freshTarget();
      const run = await stopAt('mover.during-restore', () =>
        platform.requestRestore(tree.repository, backup, target),
      );
      const marker = await platform.doom('mover', SUCCESSOR, 'files.restoreStaged', { signal: 'SIGSTOP' });
      await platform.standsStill(SUCCESSOR, marker);
      await revive(STOPPED, run);
      expect(existsSync(target)).toBe(false);
      await revive(SUCCESSOR, run);
      await remembered(run, 2);
      expect(await tree.differences(backup, target)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'also when it restored in place, and what it restored is worked with since',
    async () => {
      const backup = tree.remembered.at(-1)!;
      const target = tree.where.source;
      tree.edit();
      const run = await stopAt('files.restoreStaged', () =>
        platform.requestRestore(tree.repository, backup, target, { overwrite: true }),
      );
      await platform.startService('mover', SUCCESSOR);
      await remembered(run, 2);
      const extra = (await tree.differences(backup, target)).filter((line) => !line.includes(': extra:'));
      expect(extra).toEqual([]);
      tree.edit();
      const worked = `${platform.place('worked-with')}/letters`;
      copyTree(target, worked);
      await revive(STOPPED, run);
      expect(await compareTrees(worked, target)).toEqual([]);
    },
    PATIENCE,
  );
});

describe('afterwards', () => {
  it(
    'the next runs work',
    async () => {
      tree.edit();
      await remembered(await incremental());
      expect(await flawsOf(platform, [tree])).toEqual([]);
      expect(await flawsOfRestore(platform, tree)).toEqual([]);
    },
    PATIENCE,
  );
});
