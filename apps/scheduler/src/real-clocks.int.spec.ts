import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { freshId } from '@catena/events';
import { pause } from '@catena/service';
import { eventually } from '@catena/service/testing';
import { rm } from 'node:fs/promises';
import { flawsOfTimes, timesTold } from './testing/due-times-told.ts';
import { SchedulerFleet } from './testing/scheduler-fleet.ts';

const PATIENCE = 300_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const atLength = process.env['CATENA_TEST_LONG'] === '1';

const EVERY_SECOND = '* * * * * *';
/** Runs of it never wait for each other: nobody does them here. */
const often = (rhythm: string, more = '') =>
  `firstRun: scheduled, copyOnly: {cron: '${rhythm}', onPreviousRunning: start}${more}`;

describe('schedulers as real processes, on clocks of their own', () => {
  let fleet: SchedulerFleet;

  beforeEach(async () => {
    fleet = await SchedulerFleet.open();
  }, PATIENCE);
  afterEach(() => fleet.close(), PATIENCE);

  const firings = (count: number, schedule = 'often') =>
    eventually(`${count} firings`, async () => {
      const { fired } = timesTold(await fleet.events(), schedule);
      return fired.length >= count ? fired : undefined;
    });

  it(
    'issue 6.7: two whose clocks are minutes apart fire every time once, also when they are killed in turn',
    async () => {
      const start = { a: () => fleet.start('a', -2 * MINUTE), b: () => fleet.start('b', 3 * MINUTE) };
      let [a, b] = [start.a(), start.b()];
      await fleet.define({ often: often(EVERY_SECOND) });
      let wanted = 2;
      await firings(wanted);
      for (let round = 0; round < (atLength ? 10 : 1); round += 1) {
        await a.end();
        await firings((wanted += 2));
        [a, b] = [start.a(), (await b.end(), start.b())];
        await Promise.all([a.started(), b.started()]);
        await firings((wanted += 2));
      }
      expect(flawsOfTimes(await fleet.events(), 'often', EVERY_SECOND)).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'issue 6.7: a clock that goes back fires nothing twice, and one that leaps forward is caught up with',
    async () => {
      const scheduler = fleet.start('a');
      await fleet.define({ often: often(EVERY_SECOND) });
      const before = await firings(3);
      scheduler.setClock(-10 * MINUTE);
      const turnedBack = Date.now();
      await pause(3_000);
      const known = timesTold(await fleet.events(), 'often').fired;
      // Whatever was on its way then: the clock has shown no later time than this.
      expect(Date.parse(known.at(-1) ?? '')).toBeLessThanOrEqual(turnedBack);
      scheduler.setClock(DAY);
      await firings(known.length + 2);
      const { fired, reasons, skipped } = timesTold(await fleet.events(), 'often');
      expect(reasons).toContain('catchUp');
      expect(skipped.find(({ reason }) => reason === 'missed')?.count).toBeGreaterThan((DAY - MINUTE) / 1000);
      expect(Date.parse(fired.at(-1) ?? '') - Date.parse(before[0] ?? '')).toBeGreaterThanOrEqual(DAY);
      expect(new Set(fired).size).toBe(fired.length);
      expect(fired).toEqual([...fired].sort());
    },
    PATIENCE,
  );

  const lengths: [string, number][] = [
    ...(atLength ? ([['minutes', 35 * MINUTE]] as [string, number][]) : []),
    ['days', 3 * DAY],
    ...(atLength ? ([['a year', 365 * DAY]] as [string, number][]) : []),
  ];
  it.each(lengths)(
    'issue 6.4: %s without any, under every policy of catching up',
    async (_length, away) => {
      const rhythm = '*/10 * * * *';
      // Between two of them, so that none is due while it runs.
      const now = Math.floor(Date.now() / (10 * MINUTE)) * 10 * MINUTE + 2 * MINUTE;
      const first = fleet.start('a', now - Date.now());
      const policies = { latest: 'latest', all: 'all', none: 'none' };
      await fleet.define({
        ...Object.fromEntries(
          Object.entries(policies).map(([name, policy]) => [name, often(rhythm, `, catchUp: ${policy}`)]),
        ),
        soon: often(rhythm, ', catchUpWindow: 1s'),
      });
      await first.end();
      // So that the newest of them is two minutes late, and the next one far.
      const begin = Math.ceil((now + away) / (10 * MINUTE)) * 10 * MINUTE + 2 * MINUTE;
      fleet.start('b', begin - Date.now());
      await eventually('all is caught up with', async () => {
        const events = await fleet.events();
        return [...Object.keys(policies), 'soon'].every((name) => timesTold(events, name).skipped.length > 0);
      });
      const events = await fleet.events();
      const due = Math.floor(away / (10 * MINUTE));
      for (const name of ['latest', 'all']) {
        const { fired, reasons, skipped } = timesTold(events, name);
        expect([fired.length, reasons[0]]).toEqual([1, 'catchUp']);
        expect(skipped).toEqual([expect.objectContaining({ reason: 'missed' })]);
        expect(skipped[0]?.count).toBeGreaterThanOrEqual(due - 1);
        expect(flawsOfTimes(events, name, rhythm)).toEqual([]);
      }
      for (const name of ['none', 'soon']) {
        const { fired, skipped } = timesTold(events, name);
        expect(fired).toEqual([]);
        expect(skipped).toEqual([expect.objectContaining({ reason: 'missed' })]);
        expect(flawsOfTimes(events, name, rhythm)).toEqual([]);
      }
    },
    PATIENCE,
  );

  // Each of the points once is killed on a whole platform as well (test/faults).
  const deaths = (atLength ? (['before', 'after'] as const) : (['after'] as const)).flatMap((when) =>
    (atLength ? [1, 2, 3, 5, 8] : [2]).map((nth) => [`scheduler.${when}-fire`, nth] as const),
  );
  it.each(deaths)(
    'issue 6.7: killed %s for the %sth time, with another whose clock is apart, nothing is lost or doubled',
    async (point, nth) => {
      const marker = join(tmpdir(), `catena-died-${freshId()}`);
      try {
        const dying = fleet.start('a', 0, {
          CATENA_CRASH_AT: `${point}:${nth}`,
          CATENA_CRASH_ONCE: marker,
        });
        await fleet.define({ often: often(EVERY_SECOND), other: often('*/2 * * * * *') });
        expect(await dying.ended).toBe('SIGKILL');
        expect(existsSync(marker)).toBe(true);
        const events = (await fleet.events()).length;
        fleet.start('a', nth * 100);
        fleet.start('b', MINUTE);
        await eventually('they go on', async () => (await fleet.events()).length >= events + 12);
        const told = await fleet.events();
        expect(flawsOfTimes(told, 'often', EVERY_SECOND)).toEqual([]);
        expect(flawsOfTimes(told, 'other', '*/2 * * * * *')).toEqual([]);
      } finally {
        await rm(marker, { force: true });
      }
    },
    PATIENCE,
  );
});
