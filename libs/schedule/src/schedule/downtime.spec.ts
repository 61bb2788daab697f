import { describe, expect, it } from '@jest/globals';
import type { Specification } from '@catena/events';
import { after, inShort, liveSchedule, withFull } from '../testing/schedule-history.ts';
import { decideTick, nextDueInstant } from './decide-tick.ts';
import { initialSchedule } from './schedule-state.ts';

const created = '2025-01-01T00:00:30.000Z';
const spec = { source: 'docs', repository: 'vault', timeZone: 'Europe/Berlin', firstRun: 'scheduled' };
const everyMinute: Specification = {
  ...spec,
  full: '@weekly',
  incremental: '* * * * *',
  catchUpWindow: '1000w',
};
const everySecond: Specification = { ...spec, full: '* * * * * *', catchUpWindow: '1000w' };

/** Nobody looked between the definition and these instants. */
const minutes = '2025-01-01T00:10:05.000Z';
const days = '2025-01-04T12:00:05.000Z';
const year = '2026-01-01T00:00:05.000Z';

const rows: [string, Specification, string, string[]][] = [
  [
    'minutes',
    everyMinute,
    minutes,
    [
      'incremental skipped missed 2025-01-01T00:01..2025-01-01T00:09 (9)',
      'incremental fired catchUp 2025-01-01T00:10',
      'run of incremental',
    ],
  ],
  [
    'days',
    everyMinute,
    days,
    [
      'incremental skipped missed 2025-01-01T00:01..2025-01-04T11:59 (5039)',
      'incremental fired catchUp 2025-01-04T12:00',
      'run of incremental',
    ],
  ],
  [
    'a year',
    everyMinute,
    year,
    [
      'full skipped missed 2025-01-04T23:00..2025-12-20T23:00 (51)',
      'full fired catchUp 2025-12-27T23:00',
      'incremental skipped missed 2025-01-01T00:01..2025-12-31T23:59 (525599)',
      'incremental skipped superseded 2026-01-01T00:00 by full',
      'run of full',
    ],
  ],
  [
    'a year of seconds',
    everySecond,
    year,
    [
      'full skipped missed 2025-01-01T00:00..2026-01-01T00:00 (31535974)',
      'full fired catchUp 2026-01-01T00:00',
      'run of full',
    ],
  ],
];

describe('issue 6.4: a scheduler that was away', () => {
  describe.each(rows)('for %s', (_length, given, now, expected) => {
    // No driver can give the past yet, so `all` is one run, too (rule 3.5).
    it.each(['latest', 'all'])(
      'with catchUp %s makes one run of what was missed, and names the rest',
      (catchUp) => {
        const live = liveSchedule([created, { ...given, catchUp }]);
        const events = decideTick(initialSchedule, live, withFull, now);
        expect(inShort(events)).toEqual(expected);
        const state = after(now, events);
        expect(decideTick(state, live, withFull, now)).toEqual([]);
        expect(nextDueInstant(state, live, withFull)! > now).toBe(true);
      },
    );

    it('with catchUp none makes no run of what is a minute late, and names all of it', () => {
      const live = liveSchedule([
        created,
        { ...given, full: '30 3 * * *', incremental: '0 * * * *', catchUp: 'none' },
      ]);
      const late = new Date(Date.parse(now) + 5 * 60_000).toISOString();
      const events = decideTick(initialSchedule, live, withFull, late);
      expect(events.filter(({ type }) => type !== 'schedule.skipped')).toEqual([]);
      expect(decideTick(after(late, events), live, withFull, late)).toEqual([]);
    });

    it('what is later than the catchUpWindow is missed', () => {
      const live = liveSchedule([
        created,
        { ...given, full: '@weekly', incremental: '30 * * * *', catchUpWindow: '20m' },
      ]);
      const late = new Date(Date.parse(now) + 55 * 60_000 - (Date.parse(now) % 3_600_000)).toISOString();
      const events = decideTick(initialSchedule, live, withFull, late);
      expect(events.filter(({ type }) => type !== 'schedule.skipped')).toEqual([]);
    });
  });
});
