import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogRequests, schedulerRequests, type AnyRecordedEvent } from '@catena/events';
import { eventually } from '@catena/service/testing';
import { command, ServiceFleet } from './testing/service-fleet.ts';

/** For machines that do much else at the same time. */
const PATIENCE = 300_000;

/** Nobody dies here: a mover that is only slow keeps what it works on. */
const PATIENT = { CATENA_JOB_WAIT_SECONDS: '60' };

const both = (service: string) => [`${service}:${service}-1`, `${service}:${service}-2`];

describe('two schedulers, two chain catalogs and two movers at once', () => {
  let fleet: ServiceFleet;

  beforeAll(async () => {
    fleet = await ServiceFleet.open();
    for (const service of ['scheduler', 'chain-catalog', 'mover'] as const)
      for (const number of [1, 2]) fleet.start(service, `${service}-${number}`, PATIENT);
  }, PATIENCE);
  afterAll(() => fleet.close());

  it(
    'take a file from its definition through a chain to its restore',
    async () => {
      const { source, target } = await fleet.define('chain', {
        cadences: '"full": "@weekly", incremental: "@daily"',
      });
      writeFileSync(join(source, 'a.txt'), 'first');
      const requested = await eventually('the first run', async () =>
        (await fleet.events({ types: ['run.requested'] })).at(0),
      );
      expect(await fleet.over(requested.aggregate.id)).toMatchObject({ state: 'completed', cadence: 'full' });
      writeFileSync(join(source, 'a.txt'), 'second');
      const { run } = await fleet.ask(schedulerRequests.runSchedule, { ...command(), schedule: 'chain' });
      const incremental = await fleet.over(run);
      expect(incremental).toMatchObject({ state: 'completed', cadence: 'incremental' });
      const restored = await fleet.over(await fleet.restore('chain', incremental.backup ?? '', target));
      expect(restored.state).toBe('completed');
      expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe('second');
      const { items } = await fleet.ask(catalogRequests.listChains, { source: 'chain' });
      expect(items.map(({ backups }) => backups.map(({ type }) => type))).toEqual([['full', 'incremental']]);
    },
    PATIENCE,
  );

  it(
    'are each seen at work, and nothing happens twice',
    async () => {
      const { source } = await fleet.define('busy', { cadences: 'full: "@weekly"' });
      // Of the schedulers one has the turn; the other leaves it the work, or stands in for it when it is slow.
      const wanted = ['scheduler:scheduler-1', ...both('chain-catalog'), ...both('mover')];
      const seen = new Set<string>();
      for (let round = 1; wanted.some((actor) => !seen.has(actor)) && round <= 200; round += 1) {
        writeFileSync(join(source, 'a.txt'), String(round));
        const runs = await Promise.all([
          fleet.backup('busy', 'incremental'),
          fleet.backup('busy', 'incremental'),
          ...(round % 4 === 0 ? [] : [fleet.backup('busy', 'full')]),
        ]);
        for (const run of runs) expect((await fleet.over(run)).state).toBe('completed');
        await fleet.define(`extra-${round}`, { cadences: 'full: "@weekly"' });
        for (const { actor } of await fleet.events()) seen.add(actor);
      }
      expect([...seen]).toEqual(expect.arrayContaining(wanted));
      const events = await fleet.events();
      expect(doubled(events, 'run.requested', (event) => event.aggregate.id)).toEqual([]);
      expect(doubled(events, 'run.claimed', (event) => event.aggregate.id)).toEqual([]);
      expect(doubled(events, 'run.completed', (event) => event.aggregate.id)).toEqual([]);
      expect(doubled(events, 'run.planned', (event) => event.aggregate.id)).toEqual([]);
      expect(doubled(events, 'backup.completed', (event) => event.aggregate.id)).toEqual([]);
      const parents = events.flatMap((event) =>
        event.type === 'collection.backup-planned' && event.data.parent !== undefined
          ? [event.data.parent]
          : [],
      );
      expect(new Set(parents).size).toBe(parents.length);
    },
    PATIENCE,
  );

  it(
    'say what is wrong with their configuration, all of it, and do not start',
    async () => {
      const wrong = fleet.start('chain-catalog', 'wrong', {
        CATENA_HEALTH_PORT: 'eighty',
        CATENA_LOG_LEVEL: 'loud',
        CATENA_DATABASE_URL: '',
      });
      expect(await wrong.ended).toBe(2);
      for (const variable of ['CATENA_HEALTH_PORT', 'CATENA_LOG_LEVEL', 'CATENA_DATABASE_URL'])
        expect(wrong.complained).toContain(variable);
    },
    PATIENCE,
  );

  it(
    'announce their health endpoints in a file, and are ready',
    async () => {
      const file = join(fleet.folder, 'announcement.json');
      const started = await fleet
        .start('mover', 'mover-3', { ...PATIENT, CATENA_ANNOUNCE_FILE: file })
        .started();
      const announced = JSON.parse(readFileSync(file, 'utf8')) as {
        health: string;
        pid: number;
        instance: string;
      };
      expect(announced).toMatchObject({ service: 'mover', instance: 'mover-3', pid: started.pid });
      const ready = await fetch(`${announced.health}/health/ready`);
      expect(await ready.json()).toMatchObject({ ready: true, checks: { nats: { ok: true } } });
      expect(await started.stop()).toBe(0);
    },
    PATIENCE,
  );

  it('stop in order', async () => {
    expect(await fleet.stopAll()).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

function doubled(
  events: readonly AnyRecordedEvent[],
  type: AnyRecordedEvent['type'],
  key: (event: AnyRecordedEvent) => string,
): string[] {
  const seen = new Set<string>();
  const keys = events.filter((event) => event.type === type).map(key);
  return keys.filter((one) => seen.size === seen.add(one).size);
}
