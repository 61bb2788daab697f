import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogRequests, type AnyRecordedEvent } from '@catena/events';
import type { CrashPoint } from '@catena/service';
import { eventually } from '@catena/service/testing';
import { ServiceFleet } from './testing/service-fleet.ts';

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

describe('a process that dies', () => {
  let fleet: ServiceFleet;
  beforeAll(async () => {
    fleet = await ServiceFleet.open();
  });
  afterAll(() => fleet.close());

  it.each(cases)(
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
  );

  it('during a restore leaves nothing half-made, and the restore is completed by another', async () => {
    await fleet.run(...services);
    const { source, target } = await fleet.define('restored');
    writeFileSync(join(source, 'a.txt'), 'precious');
    const { backup = '' } = await fleet.over(await fleet.backup('restored'));
    await fleet.run('scheduler', 'chain-catalog');
    const dying = fleet.start('mover', 'mover-dying', { CATENA_CRASH_AT: 'mover.during-restore' });
    const run = await fleet.restore('restored', backup, target);
    expect(await dying.ended).toBe('SIGKILL');
    await fleet.run(...services);
    expect(await fleet.over(run)).toMatchObject({ state: 'completed', attempt: 2 });
    expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe('precious');
  });

  it('may be only stopped: its run is taken over, and when it wakes it harms nothing', async () => {
    await fleet.run('scheduler', 'chain-catalog');
    const sleeper = await fleet.start('mover', 'mover-sleeper').started();
    const { source } = await fleet.define('frozen');
    for (let file = 0; file < 300; file += 1)
      writeFileSync(join(source, `${file}.bin`), Buffer.alloc(200_000, file));
    const run = await fleet.backup('frozen');
    await eventually('the claim', async () =>
      (await fleet.events({ run })).some(({ type }) => type === 'run.claimed'),
    );
    sleeper.signal('SIGSTOP');
    fleet.start('mover', 'mover');
    const view = await fleet.over(run);
    sleeper.signal('SIGCONT');
    expect(view.state).toBe('completed');
    expect(await sleeper.stop()).toBe(0);
    const history = await fleet.events({ run });
    expect(history.filter(({ type }) => type === 'run.completed')).toHaveLength(1);
    const { items } = await fleet.ask(catalogRequests.listBackups, { source: 'frozen' });
    expect(items).toHaveLength(1);
    const next = await fleet.over(await fleet.backup('frozen', 'incremental'));
    expect(next.state).toBe('completed');
  });
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
