import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { flawsOf, flawsOfRestore } from '../platform/proof.ts';
import { until } from '../platform/operator.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { atLength, SeededChance } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;
const SERVICES = ['chain-catalog', 'scheduler', 'mover'] as const;
const INSTANCES = SERVICES.flatMap((service) => [`${service}-1`, `${service}-2`]);
/** Of the schedulers one has the turn, and the other leaves it the work. */
const AT_WORK = INSTANCES.filter((instance) => instance !== 'scheduler-2');
/** Far more than are needed: which of two takes something is decided anew each time. */
const MOST_ROUNDS = 60;

let platform: TestPlatform;
let trees: ProtectedTree[];
let schedules = 0;

beforeAll(async () => {
  platform = await TestPlatform.start({
    instances: { 'chain-catalog': 2, scheduler: 2, mover: 2 },
    environment: { CATENA_JOB_WAIT_SECONDS: '2' },
  });
  trees = [];
  for (const name of ['letters', 'pictures'])
    trees.push(await ProtectedTree.define(platform, name, { megabytes: 1 }));
}, PATIENCE);

afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

/** Backups of both trees at once, several that want the same parent, and a schedule that fires at once. */
async function round(chance: SeededChance): Promise<void> {
  const [letters, pictures] = trees as [ProtectedTree, ProtectedTree];
  const schedule = `round-${++schedules}`;
  const asked = [
    ...['incremental', 'incremental', 'full'].map((type) =>
      platform.requestBackup(letters.name, letters.repository, type as 'incremental' | 'full'),
    ),
    platform.requestBackup(pictures.name, pictures.repository, 'incremental'),
    platform.requestBackup(pictures.name, pictures.repository, 'full', chance.next() < 0.5),
  ];
  const runs = await Promise.all(asked);
  await platform.apply(`apiVersion: catena/v1
kind: Schedule
metadata: {name: ${schedule}}
spec: {source: pictures, repository: ${pictures.repository}, firstRun: now, full: "@yearly"}
`);
  const fired = await platform.event('schedule.fired', ({ data }) => data.schedule === schedule);
  for (const run of [...runs, fired.data.run]) expect((await platform.outcome(run)).state).toBe('completed');
}

/** Who appended anything, as the log says. */
async function seenAtWork(): Promise<string[]> {
  const actors = new Set((await platform.events()).map(({ actor }) => actor.replace(/^[^:]+:/, '')));
  return AT_WORK.filter((instance) => actors.has(instance));
}

describe('two chain catalogs, two schedulers and two movers at once', () => {
  it(
    'are each seen at work, and nothing happens twice',
    async () => {
      const chance = new SeededChance('rounds');
      for (let done = 1; (await seenAtWork()).length < AT_WORK.length && done <= MOST_ROUNDS; done++)
        await round(chance);
      expect(await seenAtWork()).toEqual(AT_WORK);
      expect(await flawsOf(platform, trees)).toEqual([]);
    },
    PATIENCE,
  );

  const seeds = Array.from({ length: atLength ? 15 : 2 }, (_, index) => index + 1);
  it.each(seeds)(
    'seed %i: one of each is killed at work, and the other one goes on',
    async (seed) => {
      const chance = new SeededChance(`several-${seed}`);
      for (const tree of trees) tree.edit();
      const working = round(chance);
      for (const service of SERVICES) {
        await sleep(chance.whole(0, 300));
        const victim = `${service}-${chance.whole(1, 2)}`;
        await until(`${victim} runs`, () => platform.platform.supervisor.child(victim)?.pid !== undefined);
        platform.kill9(victim);
      }
      await working;
      expect(await flawsOf(platform, trees)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'leave chains that restore',
    async () => {
      for (const tree of trees) {
        tree.edit();
        const outcome = await platform.backup(tree.name, tree.repository, 'incremental');
        if (outcome.event.type === 'run.completed') tree.remember(outcome.event.data.backup ?? '');
        expect(await flawsOfRestore(platform, tree)).toEqual([]);
      }
      expect(await flawsOf(platform, trees)).toEqual([]);
    },
    PATIENCE,
  );
});
