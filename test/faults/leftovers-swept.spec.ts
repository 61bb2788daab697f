import { setTimeout as sleep } from 'node:timers/promises';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { schedulerRequests, sweptReport, type SweptReport } from '@catena/events';
import { command, persist } from '../platform/operator.ts';
import { flawsOf } from '../platform/proof.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from '../scenarios/catena-command.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;
const MOVER = 'mover-1';

let platform: TestPlatform;
let tree: ProtectedTree;
let catena: CatenaCommand;

beforeAll(async () => {
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
  catena = new CatenaCommand(platform.home);
  tree = await ProtectedTree.define(platform, 'letters', { megabytes: 3 });
  await finished(await platform.requestBackup('letters', tree.repository));
}, PATIENCE);

afterAll(() => platform[Symbol.asyncDispose](), PATIENCE);

async function finished(run: string): Promise<void> {
  const outcome = await platform.outcome(run);
  expect(outcome.state).toBe('completed');
  if (outcome.event.type === 'run.completed') tree.remember(outcome.event.data.backup ?? '');
}

/** Objects that attempts of a run have written. */
function objectsOf(run: string): string[] {
  return readdirSync(tree.where.repository, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.includes(`/${run}.`) && /\/(pack|map|tree)-\d+$/.test(name),
  );
}

/** A backup whose mover is killed when everything is written but its end, and that is given up then. */
async function givenUp(): Promise<string> {
  tree.edit();
  const marker = await platform.doom('mover', MOVER, 'vault.beforeManifest', { signal: 'SIGSTOP' });
  const run = await platform.requestBackup('letters', tree.repository);
  await platform.standsStill(MOVER, marker);
  const cancelling = catena.start('cancel', run);
  await platform.event('run.cancel-requested', ({ aggregate }) => aggregate.id === run);
  platform.kill9(MOVER);
  expect((await platform.outcome(run)).state).toBe('cancelled');
  await cancelling.ended;
  return run;
}

async function sweep(dryRun: boolean, grace = 1): Promise<{ run: string; swept: SweptReport }> {
  const wanted = { ...command(), repository: tree.repository, dryRun, grace };
  const { run } = await persist(() => platform.client.ask(schedulerRequests.requestSweep, wanted));
  const outcome = await platform.outcome(run);
  expect(outcome.state).toBe('completed');
  const detail = outcome.event.type === 'run.completed' ? outcome.event.data.detail : undefined;
  return { run, swept: sweptReport.parse(detail) };
}

/** A run must have been over for longer than the shortest grace, a second. */
const graceOver = () => sleep(1_500);

describe('a sweep', () => {
  it(
    'by hand says what would go, and why other things stay',
    async () => {
      const run = await givenUp();
      const left = objectsOf(run);
      expect(left.length).toBeGreaterThan(0);
      const young = await catena.run('sweep', tree.repository, '--dry-run');
      expect(young.out).toContain(`of ${run}: its run is over, but not for long`);
      const { swept } = await sweep(true);
      expect(swept.runs).toMatchObject([{ run, objects: left.length }]);
      expect(objectsOf(run)).toEqual(left);
      await graceOver();
      const done = await catena.run('sweep', tree.repository, '--grace', '1s');
      expect(done.out).toMatch(new RegExp(`removed \\d+ objects?, .*, of ${run}`));
      expect(objectsOf(run)).toEqual([]);
      expect((await sweep(false)).swept).toMatchObject({ objects: 0, runs: [], left: [] });
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    PATIENCE,
  );

  if (atLength)
    it.each(['vault.sweptObject', 'vault.sweptClosed'])(
      'killed at %s, beside a backup that is being written: the next attempt ends it, and the backup is whole',
      async (point) => {
        const lost = await givenUp();
        const still = path.join(platform.place('crashes'), `still-${point.replace(':', '-')}`);
        await platform.startService('mover', 'mover-2', {
          CATENA_CRASH_AT: 'vault.beforeManifest',
          CATENA_CRASH_ONCE: still,
          CATENA_CRASH_SIGNAL: 'SIGSTOP',
        });
        await platform.stopService(MOVER);
        tree.edit();
        const writing = await platform.requestBackup('letters', tree.repository);
        await platform.standsStill('mover-2', still);
        const marker = await platform.doom('mover', MOVER, point);
        const held = objectsOf(writing);
        await graceOver();
        const { swept } = await sweep(false);
        expect(existsSync(marker)).toBe(true);
        expect(objectsOf(lost)).toEqual([]);
        expect(swept.runs.map(({ run }) => run)).not.toContain(writing);
        expect(objectsOf(writing)).toEqual(expect.arrayContaining(held));
        process.kill(platform.pidOf('mover-2'), 'SIGCONT');
        await finished(writing);
        await platform.stopService('mover-2');
        expect(await flawsOf(platform, [tree])).toEqual([]);
      },
      PATIENCE,
    );

  it(
    'is refused where nothing may be deleted, by name; backups and restores go on',
    async () => {
      const definition = (access: string) => `apiVersion: catena/v1
kind: Repository
metadata: {name: ${tree.repository}}
spec:
  store: fs
  fs: {path: ${tree.where.repository}}
  access: ${access}
  encryption: {keys: [{keyFile: {path: ${tree.where.keyFile}, generate: true}}]}
`;
      await platform.apply(definition('appendOnly'));
      const refused = await catena.run('sweep', tree.repository);
      expect(refused.code).toBe(3);
      expect(refused.err).toMatch(/refused \(chain\.repository-append-only\)[^]*access: readWrite/);
      tree.edit();
      const run = await platform.requestBackup('letters', tree.repository, 'incremental');
      await finished(run);
      const backup = tree.remembered.at(-1) ?? '';
      const target = tree.freshTarget();
      expect((await platform.restore(tree.repository, backup, target)).state).toBe('completed');
      expect(await tree.differences(backup, target)).toEqual([]);
      await platform.apply(definition('readWrite'));
      expect((await sweep(false)).swept.unsure).toEqual([]);
    },
    PATIENCE,
  );
});
