import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogRequests, type AnyRecordedEvent } from '@catena/events';
import type { CrashPoint } from '@catena/service';
import { eventually } from '@catena/service/testing';
import { ServiceFleet } from './testing/service-fleet.ts';

/** For machines that do much else at the same time. */
const PATIENCE = 300_000;

const services = ['scheduler', 'chain-catalog', 'mover'] as const;

/** Each case: who dies where, and the attempt that completes the run afterwards. */
const cases: readonly (readonly [CrashPoint, (typeof services)[number], number])[] = [
  ['scheduler.before-fire', 'scheduler', 1],
  ['scheduler.after-fire', 'scheduler', 1],
  ['catalog.before-plan', 'chain-catalog', 1],
  ['catalog.after-plan', 'chain-catalog', 1],
  ['catalog.before-outcome', 'chain-catalog', 1],
  ['catalog.after-outcome', 'chain-catalog', 1],
  ['mover.after-claim', 'mover', 2],
  ['mover.before-manifest', 'mover', 2],
  ['mover.after-manifest', 'mover', 2],
  ['mover.before-report', 'mover', 2],
  ['mover.after-report', 'mover', 1],
];

/** Scenarios kill at every point through the whole platform; here one of each service is enough, all of them at length. */
const sample: readonly CrashPoint[] = [
  'scheduler.after-fire',
  'catalog.after-outcome',
  'mover.after-manifest',
];
const atLength = process.env['CATENA_TEST_LONG'] === '1';
const chosen = cases.filter(([point]) => atLength || sample.includes(point));

describe('a process that dies', () => {
  let fleet: ServiceFleet;
  beforeAll(async () => {
    fleet = await ServiceFleet.open();
  }, PATIENCE);
  afterAll(() => fleet.close());

  it.each(chosen)(
    'at %s leaves one run, one backup, and the next run works',
    async (point, service, attempt) => {
      const name = point.replaceAll('.', '-');
      await fleet.run(...services.filter((other) => other !== service));
      const dying = fleet.start(service, `${service}-dying`, { CATENA_CRASH_AT: point });
      const { source } = await fleet
        .define(name, { cadences: 'full: "@yearly"' })
        .catch(async (error: unknown) => {
          if (service === 'scheduler') return { source: fleet.place(name, 'source') };
          throw error;
        });
      writeFileSync(join(source, 'a.txt'), name);
      expect(await dying.ended).toBe('SIGKILL');
      await fleet.run(...services);

      const requested = await eventually('the run', async () => (await requestsOf(fleet, name)).at(0));
      const run = requested.aggregate.id;
      expect(await fleet.over(run)).toMatchObject({ state: 'completed', attempt });
      const history = (await fleet.events({ run })).map(({ type }) => type);
      for (const once of ['run.requested', 'run.planned', 'run.completed'])
        expect(history.filter((type) => type === once)).toHaveLength(1);
      const { items } = await fleet.ask(catalogRequests.listBackups, { source: name });
      expect(items).toHaveLength(1);
      expect(await requestsOf(fleet, name)).toHaveLength(1);

      const next = await fleet.over(await fleet.backup(name, 'incremental'));
      expect(next).toMatchObject({
        state: 'completed',
        plan: { type: 'incremental', parent: items[0]?.backup },
      });
    },
    PATIENCE,
  );
});

async function requestsOf(fleet: ServiceFleet, source: string): Promise<AnyRecordedEvent[]> {
  const requests = await fleet.events({ types: ['run.requested'] });
  return requests.filter(
    (event) =>
      event.type === 'run.requested' &&
      event.data.request.kind === 'backup' &&
      event.data.request.source === source &&
      event.data.schedule !== undefined,
  );
}
