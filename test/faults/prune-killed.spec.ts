import { existsSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../platform/operator.ts';
import { atLength, SeededChance } from '../platform/seeded-chance.ts';
import { logLines } from '../platform/service-log.ts';
import { TestPlatform } from '../platform/test-platform.ts';
import { KeptTree } from '../scenarios/kept-tree.ts';

const PATIENCE = atLength ? 1_200_000 : 300_000;

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
  ['chain-catalog', 'catalog.before-retention'],
  ['mover', 'vault.prunedObject'],
  ['mover', 'mover.before-report:3'],
  ['mover', 'vault.prunedManifests'],
  ['mover', 'vault.prunedObject:3'],
  ['mover', 'vault.prunedObjects'],
  ['mover', 'mover.after-report:3'],
] as const;

describe('a crash between any two steps of expiring and deleting', () => {
  it.each([
    ['chain-catalog', 'catalog.after-retention'],
    ['mover', 'vault.prunedManifest'],
    ['mover', 'vault.prunedClaim'],
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
      await platform.standsStill('mover-1', marker);
      await platform.startService('mover', 'mover-2');
      await kept.untilState('deleted', ...condemned);
      const later = await kept.take('incremental');
      await kept.untilState('deleted', first);
      const lastWords = () =>
        logLines(platform.home, 'mover-1').filter(
          (line) => 'attempt' in line && ['stopped', 'reported'].includes(String(line['message'])),
        ).length;
      const before = lastWords();
      process.kill(platform.pidOf('mover-1'), 'SIGCONT');
      await until('mover-1 has noticed', () => lastWords() > before);
      await kept.expectWell(second, later);
      await platform.stopService('mover-2');
    },
    PATIENCE,
  );
});

if (atLength)
  describe('a pruner that is killed at random', () => {
    const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
    it.each(seeds)(
      'seed %i: what is condemned goes, what stays can be had back',
      async (seed) => {
        const chance = new SeededChance(`prune-${seed}`);
        const { kept, condemned } = await chainOfTwo(`random-${seed}`);
        const staying = [await kept.take('full'), await kept.take('full')];
        const { aggregate } = await platform.event(
          'run.planned',
          ({ data }) =>
            data.plan.kind === 'prune' && data.plan.backups.some(({ backup }) => condemned.includes(backup)),
        );
        await platform.event('run.claimed', (event) => event.aggregate.id === aggregate.id);
        await sleep(chance.whole(0, 60));
        platform.kill9('mover-1');
        await kept.untilState('deleted', ...condemned);
        await kept.expectWell(...staying);
      },
      PATIENCE,
    );
  });

describe('readers through the services while chains are deleted', () => {
  const readers = atLength ? 200 : 12;
  it(
    `${readers} restores: each gives back its backup, or is refused by name before it begins`,
    async () => {
      const kept = await KeptTree.define(platform, 'read-by-many', '{keep: {last: 2}}');
      const taken = [await kept.take('full'), await kept.take('full')];
      const asked: Promise<{ run: string; backup: string; target: string }>[] = [];
      for (let reader = 0; reader < readers; reader++) {
        const backup = taken.at(reader % 2 === 0 ? -1 : -2)!;
        const target = kept.tree.freshTarget();
        asked.push(
          platform
            .requestRestore(kept.tree.repository, backup, target)
            .then((run) => ({ run, backup, target })),
        );
        // Every backup that is taken lets the oldest go, which the readers before it still want.
        if (reader % Math.ceil(readers / 4) === 0) taken.push(await kept.take('full'));
      }
      const seen = { restored: 0, refused: 0 };
      for (const { run, backup, target } of await Promise.all(asked)) {
        const outcome = await platform.outcome(run);
        if (outcome.state === 'refused') {
          expect(outcome.failure.code).toMatch(/^chain\.backup-(unusable|unknown|condemned)$/);
          seen.refused++;
          continue;
        }
        expect({ run, backup, state: outcome.state }).toEqual({ run, backup, state: 'completed' });
        expect(await kept.tree.differences(backup, target)).toEqual([]);
        rmSync(target, { recursive: true });
        seen.restored++;
      }
      expect(seen.restored).toBeGreaterThan(0);
      // What was held by readers is looked at again after the next backup.
      taken.push(await kept.take('full'));
      await kept.untilState('deleted', ...taken.slice(0, -2));
      await kept.expectWell(...taken.slice(-2));
    },
    PATIENCE * 3,
  );
});
