import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogRequests, schedulerRequests, type AnyRecordedEvent } from '@catena/events';
import type { CrashPoint } from '@catena/service';
import { eventually } from '@catena/service/testing';
import { command, ServiceFleet } from './testing/service-fleet.ts';

/** For machines that do much else at the same time. */
const PATIENCE = 300_000;
const atLength = process.env['CATENA_TEST_LONG'] === '1';

const SOURCES = atLength ? 40 : 8;
const points: readonly CrashPoint[] = atLength
  ? ['catalog.before-plan', 'catalog.after-plan', 'catalog.after-job']
  : ['catalog.after-plan'];
const MOST = 2;
const MOST_IN_CELLAR = 1;

describe('rule 3.11: limits, with two catalogs that follow one that was killed at work', () => {
  let fleet: ServiceFleet;
  const names = Array.from({ length: SOURCES }, (_, index) => `s${index}`);
  const inCellar = (name: string) => Number(name.slice(1)) % 3 === 0;

  beforeAll(async () => {
    fleet = await ServiceFleet.open();
    fleet.start('scheduler', 'scheduler-1');
    await fleet.apply([
      `kind: Limits\nmetadata: {name: platform}\nspec: {runsAtOnce: ${MOST}, pools: {cellar: ${MOST_IN_CELLAR}}}`,
      `kind: Repository\nmetadata: {name: vault}\nspec: {store: fs, fs: {path: ${fleet.place('vault')}}}`,
      ...names.map((name) => {
        const path = fleet.place('sources', name);
        writeFileSync(join(path, 'a.txt'), name);
        const pool = inCellar(name) ? ', pool: cellar' : '';
        return `kind: Source\nmetadata: {name: ${name}}\nspec: {driver: files, files: {path: ${path}}${pool}}`;
      }),
    ]);
  }, PATIENCE);
  afterAll(() => fleet.close());

  it(
    'never more are at work than there is room for, each has its turn, and each pool its own movers',
    async () => {
      const runs: string[] = [];
      for (const source of names) {
        const wish = { source, repository: 'vault', type: 'full', copyOnly: false } as const;
        runs.push((await fleet.ask(schedulerRequests.requestBackup, { ...command(), ...wish })).run);
      }
      for (const point of points) {
        // Alone: another could plan all there is room for, and leave nothing to die of.
        const dying = fleet.start('chain-catalog', 'catalog-dying', { CATENA_CRASH_AT: point });
        expect(await dying.ended).toBe('SIGKILL');
      }
      const catalogs = ['catalog-1', 'catalog-2'].map((name) => fleet.start('chain-catalog', name));
      // Not before: a question to one that was just killed would be lost.
      await Promise.all(catalogs.map((catalog) => catalog.started()));
      // Nobody works before all has been looked at: those for which there is no room wait.
      const waiting = async () =>
        new Set((await fleet.events({ types: ['run.waiting'] })).map(({ aggregate }) => aggregate.id)).size;
      await eventually('the others wait', async () => (await waiting()) >= SOURCES - 2 * MOST);
      fleet.start('mover', 'mover-1', { CATENA_MOVER_SLOTS: '4' });
      fleet.start('mover', 'mover-2', { CATENA_MOVER_SLOTS: '4', CATENA_MOVER_POOL: 'cellar' });
      if (atLength) {
        const dying = fleet.start('chain-catalog', 'catalog-dying', {
          CATENA_CRASH_AT: 'catalog.after-outcome',
        });
        expect(await dying.ended).toBe('SIGKILL');
      }
      for (const run of runs) expect(await fleet.over(run)).toMatchObject({ state: 'completed' });

      const events = await fleet.events();
      expect(mostAtWork(events, () => true)).toBe(MOST);
      expect(mostAtWork(events, (source) => inCellar(source))).toBe(MOST_IN_CELLAR);
      for (const event of events) {
        if (event.type !== 'run.claimed') continue;
        const source = sourceOf(events, event.aggregate.id);
        expect([source, event.data.mover]).toEqual([source, inCellar(source) ? 'mover-2' : 'mover-1']);
      }
      const { items } = await fleet.ask(catalogRequests.listRuns, { limit: 1000 });
      expect(items.filter(({ waiting }) => waiting !== undefined)).toEqual([]);
    },
    PATIENCE * 2,
  );

  it(
    'a run that waits shows why in the list of runs',
    async () => {
      for (const mover of ['mover-1', 'mover-2']) await fleet.end(mover);
      const wish = { repository: 'vault', type: 'full', copyOnly: false } as const;
      const asked: string[] = [];
      for (const source of ['s1', 's2', 's4']) {
        const answer = await fleet.ask(schedulerRequests.requestBackup, { ...command(), source, ...wish });
        asked.push(answer.run);
      }
      const held = await eventually('the reason', async () => {
        const { items } = await fleet.ask(catalogRequests.listRuns, { run: asked[2]! });
        return items[0]?.waiting;
      });
      expect(held).toEqual({ reason: 'platform', limit: MOST, by: asked.slice(0, MOST) });
      for (const run of asked) await fleet.ask(catalogRequests.cancelRun, { ...command(), run });
    },
    PATIENCE,
  );
});

function sourceOf(events: readonly AnyRecordedEvent[], run: string): string {
  for (const event of events)
    if (event.type === 'run.requested' && event.aggregate.id === run && event.data.request.kind === 'backup')
      return event.data.request.source;
  throw new Error(`${run} is no backup.`);
}

/** The largest number of runs that were planned and not over at one moment, as the log has it. */
function mostAtWork(events: readonly AnyRecordedEvent[], counts: (source: string) => boolean): number {
  const open = new Set<string>();
  let most = 0;
  for (const { type, aggregate } of events) {
    if (type === 'run.planned' && counts(sourceOf(events, aggregate.id))) open.add(aggregate.id);
    if (['run.completed', 'run.failed', 'run.cancelled'].includes(type)) open.delete(aggregate.id);
    most = Math.max(most, open.size);
  }
  return most;
}
