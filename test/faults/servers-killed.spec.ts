import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogRequests, commandedRunId, schedulerRequests } from '@catena/events';
import { everythingListed } from '../platform/everything-listed.ts';
import { ASK, command, persist, until } from '../platform/operator.ts';
import { flawsOf, flawsOfRestore } from '../platform/proof.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { atLength, SeededChance } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;
const KILLS = atLength ? 15 : 3;

let platform: TestPlatform;
let trees: ProtectedTree[];

beforeAll(async () => {
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
  trees = [];
  for (const name of ['letters', 'pictures'])
    trees.push(await ProtectedTree.define(platform, name, { megabytes: 2 }));
}, PATIENCE);

afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

/** How many commands were acknowledged so far: the work that servers do. */
let work = 0;
/** So many may be: how much there is to do depends on how often a server is killed, not on how long it is away. */
let most = 0;

/** Kills a server as soon as it has done some work after its last start, several times. */
async function killAgainAndAgain(name: 'nats' | 'postgres', chance: SeededChance): Promise<void> {
  for (let kill = 1; kill <= KILLS; kill++) {
    await until(`${name} runs`, () => platform.platform.supervisor.child(name)?.pid !== undefined);
    const before = work;
    most = before + 12;
    await until(`work is done with ${name}`, () => work > before);
    await sleep(chance.whole(50, 700));
    platform.kill9(name);
    await until(
      `the death of ${name} is noticed`,
      () => platform.platform.supervisor.child(name)?.pid === undefined,
    );
  }
  await until(`${name} runs`, () => platform.platform.supervisor.child(name)?.pid !== undefined);
}

/** Asks for backups until told to stop; every acknowledged one, with the place in the log that it was told. */
async function askForBackups(tree: ProtectedTree, chance: SeededChance, stop: AbortSignal) {
  const acknowledged: { commandId: string; run: string; sequence: number }[] = [];
  for (let times = 0; times < 4 || !stop.aborted; times++) {
    await until('more may be asked for', () => work < most || stop.aborted);
    const { commandId, actor } = command();
    const wanted = {
      ...{ commandId, actor, source: tree.name, repository: tree.repository },
      type: chance.pick(['full', 'incremental', 'differential'] as const),
      copyOnly: false,
    };
    const answer = await persist(() => platform.client.ask(schedulerRequests.requestBackup, wanted, ASK));
    acknowledged.push({ commandId, ...answer });
    work += 1;
    await sleep(chance.whole(100, 400));
  }
  return acknowledged;
}

describe('a nats-server that is killed while events are appended', () => {
  it(
    'has everything it acknowledged, and every run ends once',
    async () => {
      const killed = new AbortController();
      const asking = trees.map((tree) => askForBackups(tree, new SeededChance(tree.name), killed.signal));
      await killAgainAndAgain('nats', new SeededChance('nats'));
      killed.abort();
      const acknowledged = (await Promise.all(asking)).flat();

      const events = await persist(() => platform.events());
      for (const { commandId, run, sequence } of acknowledged) {
        expect(run).toBe(commandedRunId(commandId));
        expect(events[sequence - 1]).toMatchObject({ type: 'run.requested', aggregate: { id: run } });
      }
      for (const { run } of acknowledged) expect((await platform.outcome(run)).state).toBe('completed');
      expect(new Set(acknowledged.map(({ run }) => run)).size).toBe(acknowledged.length);
      expect((await platform.events(['run.requested'])).length).toBe(acknowledged.length);
      expect(await flawsOf(platform, trees)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'leaves a platform that goes on',
    async () => {
      for (const tree of trees) {
        tree.edit();
        const outcome = await platform.backup(tree.name, tree.repository, 'incremental');
        expect(outcome.state).toBe('completed');
        if (outcome.event.type === 'run.completed') tree.remember(outcome.event.data.backup ?? '');
        expect(await flawsOfRestore(platform, tree)).toEqual([]);
      }
      expect(await flawsOf(platform, trees)).toEqual([]);
    },
    PATIENCE,
  );
});

describe('a PostgreSQL that is killed while events are projected', () => {
  it(
    'has the same rows afterwards as one that is made from the log',
    async () => {
      const killed = new AbortController();
      const asking = trees.map((tree) =>
        askForBackups(tree, new SeededChance(`${tree.name}/2`), killed.signal),
      );
      await killAgainAndAgain('postgres', new SeededChance('postgres'));
      killed.abort();
      for (const { run } of (await Promise.all(asking)).flat())
        expect((await platform.outcome(run)).state).toBe('completed');

      const before = await everythingListed(platform);
      await persist(() =>
        platform.client.ask(catalogRequests.rebuildCatalog, command(), { timeoutMilliseconds: 60_000 }),
      );
      expect(await everythingListed(platform)).toEqual(before);
      expect(await flawsOf(platform, trees)).toEqual([]);
    },
    PATIENCE,
  );
});
