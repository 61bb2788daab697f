import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schedulerRequests, type AnyRecordedEvent } from '@catena/events';
import { newKeyFile } from '@catena/vault';
import { command, persist } from '../platform/operator.ts';
import { flawsOf } from '../platform/proof.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;

let platform: TestPlatform;
let tree: ProtectedTree;
let away: string;

beforeAll(async () => {
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
  tree = await ProtectedTree.define(platform, 'letters', { megabytes: 3 });
  away = `${tree.where.repository}-away`;
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

afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

/** By a schedule that says how soon it is repeated. */
async function askForBackup(): Promise<string> {
  const wanted = { ...command(), schedule: 'nightly', cadence: 'full' as const };
  return (await persist(() => platform.client.ask(schedulerRequests.runSchedule, wanted))).run;
}

async function finished(run: string): Promise<void> {
  const outcome = await platform.outcome(run);
  expect(outcome.state).toBe('completed');
  if (outcome.event.type === 'run.completed') tree.remember(outcome.event.data.backup ?? '');
}

/** Why the first attempt of a run failed. */
async function failureOf(
  run: string,
): Promise<Extract<AnyRecordedEvent, { type: 'run.attempt-failed' }>['data']> {
  return (await platform.event('run.attempt-failed', ({ aggregate }) => aggregate.id === run)).data;
}

describe('a repository that is not there', () => {
  it.each([
    ...(atLength ? ([['as its folder was moved away', () => undefined]] as const) : []),
    ['as its disk is not mounted, and the empty mount point is', () => mkdirSync(tree.where.repository)],
  ] as const)(
    '%s: a backup waits for it by name and makes none anew, and is made when it is back',
    async (_, leave) => {
      tree.edit();
      renameSync(tree.where.repository, away);
      leave();
      const run = await askForBackup();
      expect(await failureOf(run)).toMatchObject({ failure: { code: 'repository.gone', retryable: true } });
      const left = existsSync(tree.where.repository) ? readdirSync(tree.where.repository) : [];
      expect(left).toEqual([]);
      rmSync(tree.where.repository, { recursive: true, force: true });
      renameSync(away, tree.where.repository);
      await finished(run);
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'as it was moved away under a backup: nothing is left in its place, and the next attempt makes the backup',
    async () => {
      tree.edit();
      const marker = await platform.doom('mover', 'mover-1', 'mover.during-backup', { signal: 'SIGSTOP' });
      const run = await askForBackup();
      await platform.standsStill('mover-1', marker);
      renameSync(tree.where.repository, away);
      process.kill(platform.pidOf('mover-1'), 'SIGCONT');
      expect(await failureOf(run)).toMatchObject({ failure: { code: 'vault.store-gone', retryable: true } });
      expect(existsSync(tree.where.repository)).toBe(false);
      renameSync(away, tree.where.repository);
      await finished(run);
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );

  if (atLength)
    it(
      'as another one lies there: nothing is written into that, and it is named',
      async () => {
        const other = await ProtectedTree.define(platform, 'pictures', { megabytes: 1 });
        const made = await platform.backup('pictures', other.repository);
        expect(made.state).toBe('completed');
        tree.edit();
        renameSync(tree.where.repository, away);
        renameSync(other.where.repository, tree.where.repository);
        const before = readdirSync(tree.where.repository, { recursive: true }).sort();
        const run = await askForBackup();
        expect(await failureOf(run)).toMatchObject({
          failure: { code: 'repository.exchanged', retryable: true },
        });
        expect(readdirSync(tree.where.repository, { recursive: true }).sort()).toEqual(before);
        renameSync(tree.where.repository, other.where.repository);
        renameSync(away, tree.where.repository);
        await finished(run);
        expect(await flawsOf(platform, [tree])).toEqual([]);
      },
      PATIENCE,
    );

  it(
    'readable, as its key file holds another key: nothing is written, it is named; the right key opens it again',
    async () => {
      tree.edit();
      const right = readFileSync(tree.where.keyFile);
      writeFileSync(tree.where.keyFile, newKeyFile());
      const before = readdirSync(tree.where.repository, { recursive: true }).sort();
      const run = await askForBackup();
      const outcome = await platform.outcome(run);
      expect(outcome).toMatchObject({ state: 'failed', failure: { code: 'vault.locked' } });
      const after = readdirSync(tree.where.repository, { recursive: true }).sort();
      expect(after.filter((name) => /(pack|map|tree)-\d+$|keys/.test(String(name)))).toEqual(
        before.filter((name) => /(pack|map|tree)-\d+$|keys/.test(String(name))),
      );
      const restore = await platform.restore(
        tree.repository,
        tree.remembered.at(-1) ?? '',
        tree.freshTarget(),
      );
      expect(restore).toMatchObject({ state: 'failed', failure: { code: 'vault.locked' } });
      writeFileSync(tree.where.keyFile, right);
      await finished(await askForBackup());
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );
});
