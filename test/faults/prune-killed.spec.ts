import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { until } from '../platform/operator.ts';
import { atLength } from '../platform/seeded-chance.ts';
import { logLines } from '../platform/service-log.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { KeptTree } from '../scenarios/kept-tree.ts';

const PATIENCE = 240_000;

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start({ environment: { CATENA_JOB_WAIT_SECONDS: '2' } });
}, PATIENCE);

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
}, PATIENCE);

/** A chain of two of which the policy lets nothing go yet, and what will condemn both: two more fulls. */
async function chainOfTwo(name: string): Promise<{ kept: KeptTree; condemned: string[] }> {
  const kept = await KeptTree.define(platform, name, '{keep: {last: 2}}');
  const condemned = [await kept.take('full'), await kept.take('incremental')];
  return { kept, condemned };
}

const AT_LENGTH = [
  ['mover', 'vault.prunedManifests'],
  ['mover', 'vault.prunedObject:3'],
  ['mover', 'vault.prunedObjects'],
  ['mover', 'mover.after-report:3'],
] as const;

describe('a crash between any two steps of expiring and deleting', () => {
  it.each([
    ['chain-catalog', 'catalog.before-retention'],
    ['chain-catalog', 'catalog.after-retention'],
    ['mover', 'vault.prunedManifest'],
    ['mover', 'vault.prunedObject'],
    ['mover', 'vault.prunedClaim'],
    ['mover', 'mover.before-report:3'],
    ...(atLength ? AT_LENGTH : []),
  ] as const)(
    'of the %s at %s: the rest is done by who comes next',
    async (service, point) => {
      const { kept, condemned } = await chainOfTwo(`at-${point.replace(/\W/g, '-').toLowerCase()}`);
      const marker = await platform.doom(service, `${service}-1`, point);
      const staying = [await kept.take('full'), await kept.take('full')];
      await until(`the ${service} died`, () => existsSync(marker));
      await kept.untilState('deleted', ...condemned);
      await kept.expectWell(...staying);
    },
    PATIENCE,
  );
});

describe('a pruner that stands still, and goes on long after another has finished its work', () => {
  it.each([
    'vault.prunedManifest',
    ...(atLength ? ['vault.prunedObject', 'vault.prunedObjects', 'vault.prunedClaim'] : []),
  ])(
    'stopped at %s takes nothing from anybody',
    async (point) => {
      const { kept, condemned } = await chainOfTwo(`stopped-${point.replace(/\W/g, '-').toLowerCase()}`);
      const first = await kept.take('full');
      const marker = await platform.doom('mover', 'mover-1', point, { signal: 'SIGSTOP' });
      const second = await kept.take('full');
      await until('mover-1 stands still', () => existsSync(marker));
      await platform.startService('mover', 'mover-2');
      await kept.untilState('deleted', ...condemned);
      const later = await kept.take('incremental');
      await kept.untilState('deleted', first);
      process.kill(platform.pidOf('mover-1'), 'SIGCONT');
      await until('mover-1 has noticed', () =>
        logLines(platform.home, 'mover-1').some(({ message }) => message === 'stopped'),
      );
      await kept.expectWell(second, later);
      await platform.stopService('mover-2');
    },
    PATIENCE,
  );
});
