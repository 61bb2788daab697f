import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogRequests, type BackupView } from '@catena/events';
import { command, persist } from '../platform/operator.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { CatenaCommand } from './catena-command.ts';
import { KeptTree, madeBy } from './kept-tree.ts';

const PATIENCE = 300_000;

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start();
}, PATIENCE);

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
}, PATIENCE);

async function keep(backup: string, reason?: string) {
  return await persist(() =>
    platform.client.ask(catalogRequests.keepBackup, { ...command(), backup, reason }),
  );
}

async function unkeep(backup: string) {
  return await persist(() => platform.client.ask(catalogRequests.unkeepBackup, { ...command(), backup }));
}

describe('retention in the running system', () => {
  it(
    'expires, condemns and deletes a chain as a whole, and what stays can be restored',
    async () => {
      const kept = await KeptTree.define(platform, 'whole', '{keep: {last: 2}}');
      const full = await kept.take('full');
      const first = await kept.take('incremental');
      const second = await kept.take('incremental');
      await kept.untilState('expired', full);
      expect(await kept.view(full)).toMatchObject({ expired: { because: 'no rule of keep wants it' } });
      await kept.expectWell(full, first, second);
      const next = await kept.take('full');
      await kept.untilState('expired', full, first);
      const last = await kept.take('incremental');
      await kept.untilState('deleted', full, first, second);
      await kept.expectWell(next, last);
      const [deleted] = (await platform.events(['collection.backup-deleted'])).slice(-1);
      expect(deleted).toMatchObject({ data: { bytes: expect.any(Number) } });
      const target = kept.tree.freshTarget();
      expect(await platform.restore(kept.tree.repository, last, target)).toMatchObject({
        state: 'completed',
      });
      expect(await kept.tree.differences(last, target)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'a pinned backup stays whatever the policy says, until it is unpinned',
    async () => {
      const kept = await KeptTree.define(platform, 'pinned', '{keep: {last: 1}}');
      const pinned = await kept.take('full');
      expect(await keep(pinned, 'audit')).toMatchObject({ changed: true, undone: false });
      expect(await keep(pinned)).toMatchObject({ changed: false });
      const next = await kept.take('full');
      const newest = await kept.take('full');
      await kept.untilState('deleted', next);
      expect(await kept.view(pinned)).toMatchObject({ state: 'usable', pinned: true });
      await unkeep(pinned);
      const last = await kept.take('full');
      await kept.untilState('deleted', pinned, newest);
      await kept.expectWell(last);
    },
    PATIENCE,
  );

  it(
    'within its grace an expiry can be undone; nothing is condemned before it is over',
    async () => {
      const kept = await KeptTree.define(platform, 'grace', '{keep: {last: 1}, grace: 7d}');
      const old = await kept.take('full');
      const other = await kept.take('full');
      await kept.untilState('expired', old);
      expect(await kept.view(old)).toMatchObject({ expired: { undoUntil: expect.any(String) } });
      expect(await keep(old)).toMatchObject({ changed: true, undone: true });
      await kept.take('full');
      await kept.untilState('expired', other);
      expect(await kept.view(old)).toMatchObject({ state: 'usable', pinned: true });
      expect(kept.tree.remembered).toHaveLength(3);
      await kept.expectWell(...kept.tree.remembered);
    },
    PATIENCE,
  );

  it(
    'the command line shows what has expired and why, explains each backup, and takes an expiry back',
    async () => {
      const catena = new CatenaCommand(platform.home);
      const kept = await KeptTree.define(platform, 'told', '{keep: {last: 1}, grace: 7d}');
      const full = await kept.take('full');
      const last = await kept.take('incremental');
      await kept.untilState('expired', full);
      const expired = await catena.ask<{ items: BackupView[]; retainedBytes: number }>(
        'backups',
        '--expired',
        '--source',
        'told',
      );
      expect(expired.items).toMatchObject([
        { backup: full, state: 'expired', expired: { because: 'no rule of keep wants it' } },
      ]);
      expect(expired.retainedBytes).toBe((await kept.view(full)).bytesAdded);
      expect(await catena.ask('explain', full)).toMatchObject({
        backup: { backup: full },
        dependsOn: [],
        neededBy: [{ backup: last, direct: true }],
        run: { schedule: kept.schedule, cadence: 'full' },
      });
      expect(await catena.ask('explain', last)).toMatchObject({
        dependsOn: [{ backup: full, as: 'parent', state: 'expired' }],
        kept: ['last'],
      });
      expect((await catena.run('explain', full.slice(0, 12))).out).toContain(`needed by  ${last}`);
      expect((await catena.run('keep', full)).out).toContain('a restore point again');
      expect((await catena.run('keep', full)).out).toContain('pinned already');
      expect(await catena.ask('unkeep', full)).toMatchObject({ backup: full, changed: true });
    },
    PATIENCE,
  );

  it(
    'backups by hand are kept without a policy for them',
    async () => {
      const kept = await KeptTree.define(platform, 'by-hand', '{keep: {last: 1}}');
      const byHand = madeBy(await platform.backup(kept.tree.name, kept.tree.repository));
      kept.tree.remember(byHand);
      const old = await kept.take('full');
      const last = await kept.take('full');
      await kept.untilState('deleted', old);
      await kept.expectWell(byHand, last);
    },
    PATIENCE,
  );

  it(
    'backups planned at the moment of a decision keep what they are computed from',
    async () => {
      const kept = await KeptTree.define(platform, 'moment', '{keep: {last: 1}}');
      await kept.take('full');
      for (let round = 0; round < 4; round++) {
        kept.tree.edit();
        const cadences =
          round % 2 === 0 ? (['full', 'incremental'] as const) : (['incremental', 'full'] as const);
        const outcomes = await Promise.all(
          cadences.map((cadence) => platform.runSchedule(kept.schedule, cadence)),
        );
        for (const outcome of outcomes) kept.tree.remember(madeBy(outcome));
        await kept.settle();
        await kept.expectWell(...(await kept.there()));
      }
    },
    PATIENCE,
  );
});
