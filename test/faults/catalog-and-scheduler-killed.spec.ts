import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backupIdOfRun } from '@catena/events';
import type { CrashPoint } from '@catena/service';
import { flawsOf, flawsOfRestore } from '../platform/proof.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { atLength, SeededChance } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { until } from '../platform/operator.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;

let platform: TestPlatform;
let tree: ProtectedTree;
let heard: string;

beforeAll(async () => {
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
  tree = await ProtectedTree.define(platform, 'letters', { megabytes: 1 });
  heard = path.join(platform.place('heard'), 'events.jsonl');
  await platform.apply(`apiVersion: catena/v1
kind: Subscription
metadata: {name: listener}
spec:
  events: [run.completed]
  to: {command: [sh, -c, 'cat >>"$0"; echo >>"$0"', '${heard}']}
`);
}, PATIENCE);

afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

/** Backs up what has changed since, and remembers it. */
async function nextBackup(): Promise<void> {
  tree.edit();
  const outcome = await platform.backup('letters', tree.repository, 'incremental');
  expect(outcome).toMatchObject({ state: 'completed', event: { data: { attempt: 1 } } });
  if (outcome.event.type === 'run.completed') tree.remember(outcome.event.data.backup ?? '');
}

describe('a chain catalog that is killed', () => {
  const points: CrashPoint[] = [
    'catalog.before-plan',
    'catalog.after-plan',
    'catalog.after-outcome',
    ...(atLength
      ? ([
          'catalog.before-delivery',
          'catalog.before-outcome',
          'catalog.after-job',
          'catalog.after-delivery',
        ] as const)
      : []),
  ];
  it.each(points)(
    '%s: the run goes on to its one end, and the next one works',
    async (point) => {
      const marker = await platform.doom('chain-catalog', 'chain-catalog-1', point);
      await nextBackup();
      await until(`it dies ${point}`, () => existsSync(marker));
      await nextBackup();
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );
});

describe('a scheduler that is killed', () => {
  const points: CrashPoint[] = [
    'scheduler.before-apply',
    'scheduler.after-apply',
    'scheduler.before-fire',
    'scheduler.after-fire',
  ];
  it.each(points)(
    '%s: what is due fires once, and the next one works',
    async (point) => {
      const schedule = point.replace('.', '-');
      const marker = await platform.doom('scheduler', 'scheduler-1', point);
      await platform.apply(`apiVersion: catena/v1
kind: Schedule
metadata: {name: ${schedule}}
spec: {source: letters, repository: ${tree.repository}, firstRun: now, full: "@yearly"}
`);
      const fired = await platform.event('schedule.fired', ({ data }) => data.schedule === schedule);
      // The event is in the log a moment before the process gets to the point at which it dies.
      await until(`it dies ${point}`, () => existsSync(marker));
      expect(await platform.outcome(fired.data.run)).toMatchObject({ state: 'completed' });
      tree.remember(backupIdOfRun(fired.data.run));
      expect(await platform.runSchedule(schedule, 'full')).toMatchObject({ state: 'completed' });
      const events = await platform.events(['definition.applied', 'schedule.fired']);
      const told = events.filter(
        ({ aggregate, data }) =>
          aggregate.id === `schedule-${schedule}` || ('schedule' in data && data.schedule === schedule),
      );
      expect(told.map(({ type }) => type)).toEqual([
        'definition.applied',
        'schedule.fired',
        'schedule.fired',
      ]);
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );
});

describe('a catalog and a scheduler that are killed at random', () => {
  const seeds = Array.from({ length: atLength ? 20 : 1 }, (_, index) => index + 1);
  it.each(seeds)(
    'seed %i: every run ends once',
    async (seed) => {
      const chance = new SeededChance(`services-${seed}`);
      tree.edit();
      const runs: string[] = [];
      const asking = (async () => {
        for (let times = 0; times < 4; times++)
          runs.push(
            await platform.requestBackup(
              'letters',
              tree.repository,
              chance.pick(['full', 'incremental', 'differential']),
            ),
          );
      })();
      for (const name of ['chain-catalog-1', 'scheduler-1']) {
        await new Promise((resolve) => setTimeout(resolve, chance.whole(0, 400)));
        await until(`${name} runs`, () => platform.platform.supervisor.child(name)?.pid !== undefined);
        platform.kill9(name);
      }
      await asking;
      for (const run of runs) expect((await platform.outcome(run)).state).toBe('completed');
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );
});

describe('afterwards', () => {
  it(
    'a subscription has heard of every run that was completed',
    async () => {
      const completed = (await platform.events(['run.completed'])).map(({ id }) => id);
      const ids = () =>
        readFileSync(heard, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => (JSON.parse(line) as { id: string }).id);
      await until('each completed run is heard of', () => new Set(ids()).size >= completed.length);
      expect(new Set(ids())).toEqual(new Set(completed));
    },
    PATIENCE,
  );

  it(
    'the newest backup restores',
    async () => expect(await flawsOfRestore(platform, tree)).toEqual([]),
    PATIENCE,
  );
});
