import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunOutcome } from '@catena/client';
import { backupIdOfRun, schedulerRequests } from '@catena/events';
import { violations } from '../platform/invariants.ts';
import { ASK, command, persist, until } from '../platform/operator.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { copyTree } from '../platform/protected-tree.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';
import { KeptTree, madeBy } from './kept-tree.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
}, PATIENCE);

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
}, PATIENCE);

/** Files whose schedule composes its fulls. */
async function define(name: string, retention: string): Promise<KeptTree> {
  const kept = await KeptTree.define(platform, name, retention);
  await platform.apply(`apiVersion: catena/v1
kind: Schedule
metadata: {name: ${kept.schedule}}
spec:
  source: ${name}
  repository: ${kept.tree.repository}
  firstRun: scheduled
  full: {cron: "0 0 1 1 *", method: compose}
  incremental: "0 0 1 2 *"
  retention: ${retention}
`);
  return kept;
}

async function compose({ tree }: KeptTree): Promise<RunOutcome> {
  const wanted = { ...command(), source: tree.name, repository: tree.repository, type: 'full' as const };
  const method = 'compose' as const;
  const { run } = await persist(() =>
    platform.client.ask(schedulerRequests.requestBackup, { ...wanted, copyOnly: false, method }, ASK),
  );
  return platform.outcome(run);
}

/** The composed full must give back what the backup that it was composed from must. */
function rememberLike(kept: KeptTree, composed: string, shown: string): void {
  const copies = platform.place(`copies/${kept.tree.name}`);
  copyTree(path.join(copies, shown), path.join(copies, composed));
}

describe('a schedule whose fulls are composed', () => {
  it(
    'reads the first one, composes the next without the source, and the old chain can go',
    async () => {
      const kept = await define('composed', '{keep: {last: 2}}');
      const first = await kept.take('full');
      const [planned] = await platform.events(['run.planned']);
      expect(planned?.data).toMatchObject({
        plan: { kind: 'backup', reason: expect.stringContaining('read from the source, not composed') },
      });
      const second = await kept.take('incremental');
      const shown = await kept.take('incremental');

      const { source } = kept.tree.where;
      renameSync(source, `${source}.away`);
      const outcome = await platform.runSchedule(kept.schedule, 'full');
      const composed = madeBy(outcome);
      renameSync(`${source}.away`, source);
      expect(outcome.event.data).toMatchObject({
        detail: { from: shown, spaceNeeded: expect.any(Number), spaceFree: expect.any(Number) },
      });
      rememberLike(kept, composed, shown);
      const [view, was] = [await kept.view(composed), await kept.view(shown)];
      expect(view).toMatchObject({ type: 'full', chain: composed, closure: [], asOf: was.asOf });
      expect(view.position).toBe(was.position);

      // Nothing has changed since, so that the incremental after it reads nothing.
      const next = await platform.runSchedule(kept.schedule, 'incremental');
      kept.tree.remember(madeBy(next));
      expect(next.event.data).toMatchObject({ statistics: { bytesRead: 0 } });
      expect(await kept.view(madeBy(next))).toMatchObject({ parent: composed, chain: composed });
      await kept.untilState('deleted', first, second, shown);
      await kept.untilState('usable', composed);
      await kept.expectWell(composed, madeBy(next));
      const target = kept.tree.freshTarget();
      await platform.restore(kept.tree.repository, composed, target);
      expect(await kept.tree.differences(composed, target)).toEqual([]);
    },
    PATIENCE,
  );
});

describe('a full that is composed by hand', () => {
  it(
    'is asked for on the command line, and refused by name when there is nothing to compose from',
    async () => {
      const catena = new CatenaCommand(platform.home);
      const kept = await define('by-hand', '{keep: {last: 9}}');
      const where = ['backup', 'by-hand', '--repository', kept.tree.repository, '--method', 'compose'];
      const nothing = await catena.run(...where, '--json');
      expect(nothing.code).toBe(3);
      expect(nothing.out).toContain('chain.nothing-to-compose');
      const full = await kept.take('full');
      expect((await catena.run(...where)).err).toContain(`its newest backup ${full} is a full already`);
      const shown = await kept.take('incremental');
      const done = await catena.run(...where);
      expect(done.out).toMatch(/composed; .* written, nothing read from the source/);
      const composed = backupIdOfRun(/run-\w+/.exec(done.out)?.[0] ?? '');
      expect((await catena.run('explain', composed)).out).toContain(`composed from ${shown}`);
      expect((await catena.run(...where, '--type', 'incremental')).err).toContain('cannot be composed');
      rememberLike(kept, composed, shown);
      await kept.expectWell(full, shown, composed);
    },
    PATIENCE,
  );

  it.each([
    'mover.during-compose:12',
    'mover.after-manifest',
    ...(atLength
      ? ['vault.afterPack', 'vault.afterMaps', 'mover.before-manifest', 'mover.before-report']
      : []),
  ])(
    'is finished by the next attempt when its mover is killed at %s',
    async (point) => {
      const kept = await define(`killed-${point.replace(/\W/g, '-').toLowerCase()}`, '{keep: {last: 9}}');
      const full = await kept.take('full');
      const shown = await kept.take('incremental');
      const marker = await platform.doom('mover', 'mover-1', point);
      const outcome = await compose(kept);
      expect(existsSync(marker)).toBe(true);
      const composed = madeBy(outcome);
      expect(outcome.event.data).toMatchObject({ attempt: 2 });
      rememberLike(kept, composed, shown);
      await kept.expectWell(full, shown, composed);
    },
    PATIENCE,
  );

  it(
    'fails by name when something it needs is damaged, and leaves nothing half-made',
    async () => {
      const kept = await define('damaged', '{keep: {last: 9}}');
      const full = await kept.take('full');
      const hit = await kept.take('incremental');
      const incremental = (await kept.tree.found()).find(
        (one) => 'manifest' in one && one.ref.backupId === hit,
      );
      if (incremental === undefined || !('manifest' in incremental)) throw new Error('no incremental');
      damagePack(kept, path.dirname(incremental.ref.name));
      const outcome = await compose(kept);
      expect(outcome).toMatchObject({
        state: 'failed',
        failure: { code: 'vault.damaged', message: expect.stringContaining('pack-00000001') },
      });
      await until('the damage is known', async () => (await kept.states())[hit] === 'damaged');
      expect(await kept.there()).toEqual([full, hit].sort());
      expect(violations(await platform.events())).toEqual([]);
      expect((await compose(kept)).state).toBe('refused');
    },
    PATIENCE,
  );
});

/** Inverts a byte in the middle of the first pack of a backup. */
function damagePack({ tree }: KeptTree, folder: string): void {
  const backup = path.join(tree.where.repository, folder);
  const volume = readdirSync(backup).find((name) => name.startsWith('run-')) ?? '';
  const pack = path.join(backup, volume, 'pack-00000001');
  const bytes = readFileSync(pack);
  const middle = Math.floor(bytes.length / 3);
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
  writeFileSync(pack, bytes);
}
