import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { flawsOf, flawsOfRestore } from '../platform/proof.ts';
import { ProtectedTree } from '../platform/protected-tree.ts';
import { TestPlatform } from '../platform/test-platform.ts';

let platform: TestPlatform;
let tree: ProtectedTree;

beforeAll(async () => {
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
  tree = await ProtectedTree.define(platform, 'letters');
  const first = await platform.backup('letters', tree.repository);
  expect(first.state).toBe('completed');
}, 120_000);

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
}, 60_000);

const DURING_A_BACKUP = [
  'mover.after-claim',
  'mover.during-backup',
  'vault.afterPack',
  'vault.afterPacks',
  'vault.afterMaps',
  'mover.before-manifest',
  'vault.beforeManifest',
  'vault.afterManifest',
  'mover.after-manifest',
  'mover.before-report',
];

describe('a mover that is killed during a backup', () => {
  it.each(DURING_A_BACKUP)(
    'at %s: the next attempt makes one whole backup of it',
    async (point) => {
      tree.edit();
      const marker = await platform.doom('mover', 'mover-1', point);
      const outcome = await platform.backup('letters', tree.repository, 'incremental');
      expect(existsSync(marker)).toBe(true);
      expect(outcome).toMatchObject({ state: 'completed', event: { data: { attempt: 2 } } });
      if (outcome.event.type === 'run.completed') tree.remember(outcome.event.data.backup!);
      expect(await flawsOf(platform, [tree])).toEqual([]);
    },
    180_000,
  );
  it('restores', async () => {
    expect(await flawsOfRestore(platform, tree)).toEqual([]);
  }, 60_000);
});
