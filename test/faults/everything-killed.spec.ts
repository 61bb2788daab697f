import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CatenaUp, CHILDREN } from '../platform/catena-up.ts';
import { flawsOf, flawsOfRestore } from '../platform/proof.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { atLength, SeededChance } from '../platform/seeded-chance.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;

let platform: CatenaUp;
let tree: ProtectedTree;

beforeAll(async () => {
  platform = await CatenaUp.start({ CATENA_JOB_WAIT_SECONDS: '2' });
  tree = await ProtectedTree.define(platform, 'letters');
  await backUp();
}, PATIENCE);

afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

async function backUp(): Promise<void> {
  const run = await platform.requestBackup('letters', tree.repository, 'incremental');
  await finished(run);
}

async function finished(run: string): Promise<void> {
  const outcome = await platform.outcome(run);
  expect(outcome.state).toBe('completed');
  if (outcome.event.type === 'run.completed') tree.remember(outcome.event.data.backup ?? '');
}

/** The next run works, and nothing that was before is lost or half there. */
async function goesOn(): Promise<void> {
  tree.edit();
  await backUp();
  expect(await flawsOf(platform, [tree])).toEqual([]);
  expect(await flawsOfRestore(platform, tree)).toEqual([]);
}

describe('catena up, killed together with everything it runs', () => {
  const seeds = Array.from({ length: atLength ? 15 : 2 }, (_, index) => index + 1);
  it.each(seeds)(
    'seed %i: a second start goes on with the run that was under way',
    async (seed) => {
      const chance = new SeededChance(`everything-${seed}`);
      tree.edit();
      const run = await platform.requestBackup('letters', tree.repository, 'incremental');
      await sleep(chance.whole(0, 500));
      await platform.kill9(['up', ...CHILDREN]);
      await platform.startAgain();
      await finished(run);
      await goesOn();
    },
    PATIENCE,
  );
});

describe('catena up, killed alone', () => {
  it(
    'a second start adopts the servers and replaces the services, under a run that goes on',
    async () => {
      tree.edit();
      const before = platform.pids;
      const run = await platform.requestBackup('letters', tree.repository, 'incremental');
      await platform.kill9(['up']);
      await platform.startAgain();
      await finished(run);
      const after = platform.pids;
      expect({ nats: after.nats, postgres: after.postgres }).toEqual({
        nats: before.nats,
        postgres: before.postgres,
      });
      for (const service of ['chain-catalog-1', 'scheduler-1', 'mover-1'] as const)
        expect(after[service]).not.toBe(before[service]);
      await goesOn();
    },
    PATIENCE,
  );
});

describe('catena up, killed with some of what it runs', () => {
  const seeds = Array.from({ length: atLength ? 15 : 1 }, (_, index) => index + 1);
  it.each(seeds)(
    'seed %i: a second start finds what survived and goes on',
    async (seed) => {
      const chance = new SeededChance(`some-${seed}`);
      tree.edit();
      const run = await platform.requestBackup('letters', tree.repository, 'incremental');
      await sleep(chance.whole(0, 500));
      await platform.kill9(['up', ...CHILDREN.filter(() => chance.next() < 0.5)]);
      await platform.startAgain();
      await finished(run);
      await goesOn();
    },
    PATIENCE,
  );
});

/** Whether a process runs; one that has ended and that nobody has asked about yet does not. */
function isAlive(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\s+[ZX]/m.test(readFileSync(status, 'utf8'));
}

describe('in the end', () => {
  it(
    'Ctrl-C stops everything in order',
    async () => {
      const { pids } = platform;
      expect(await platform.stop()).toBe(0);
      expect(Object.entries(pids).filter(([, pid]) => isAlive(pid))).toEqual([]);
    },
    PATIENCE,
  );
});
