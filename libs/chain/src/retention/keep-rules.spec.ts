import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { simulateRetention } from './simulate-retention.ts';

const NOW = '2030-01-01T00:00:00Z';

function keptOf(times: readonly (string | [string, string[]])[], keep: object, more: object = {}): string[] {
  const backups = times.map((one) => {
    const [time, tags] = typeof one === 'string' ? [one, []] : one;
    return { id: time, time, tags };
  });
  const answer = simulateRetention({ policy: { keep }, backups, now: NOW, ...more });
  expect(answer.keep.length + answer.delete.length).toBe(times.length);
  return answer.keep.map((one) => one.id).reverse();
}

function reasonsOf(times: readonly string[], keep: object): string[][] {
  const backups = times.map((time) => ({ id: time, time }));
  return simulateRetention({ policy: { keep }, backups, now: NOW }).keep.map((one) => [...one.reasons]);
}

// Every Sunday for twelve weeks.
const sundays = [
  '09-01',
  '09-08',
  '09-15',
  '09-22',
  '09-29',
  '10-06',
  '10-13',
  '10-20',
  '10-27',
  '11-03',
  '11-10',
  '11-17',
].map((date) => `2019-${date}T11:00:00Z`);
const hours = ['08:10', '08:50', '09:15', '11:00', '11:59', '12:00'].map((time) => `2026-03-02T${time}:00Z`);
const days = ['2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02'].flatMap((date) => [
  `${date}T06:00:00Z`,
  `${date}T18:00:00Z`,
]);

describe('keep, the rules that overlap', () => {
  it.each<[string, readonly string[], object, readonly string[]]>([
    ['last: the newest', sundays, { last: 2 }, sundays.slice(-2)],
    ['last: -1 is unlimited', sundays, { last: -1 }, sundays],
    ['last: unlimited', sundays, { last: 'unlimited' }, sundays],
    ['hourly: the newest of each hour', hours, { hourly: 3 }, [hours[2]!, hours[4]!, hours[5]!]],
    ['daily: days without a backup are free', sundays, { daily: 4 }, sundays.slice(-4)],
    ['daily: the newest of each day', days, { daily: 2 }, [days[5]!, days[7]!]],
    [
      'weekly: weeks begin on Monday',
      ['2026-03-01T12:00:00Z', '2026-03-02T12:00:00Z', '2026-03-08T12:00:00Z'],
      { weekly: 1 },
      ['2026-03-08T12:00:00Z'],
    ],
    [
      'weekly: a week may span two years',
      ['2025-12-28T12:00:00Z', '2025-12-31T12:00:00Z', '2026-01-01T12:00:00Z'],
      { weekly: 1 },
      ['2026-01-01T12:00:00Z'],
    ],
    ['monthly: the newest of each month', sundays, { monthly: 2 }, [sundays[8]!, sundays[11]!]],
    [
      'yearly: the newest of each year',
      ['2024-12-31T23:00:00Z', ...sundays, '2025-06-01T00:00:00Z'],
      { yearly: 2 },
      ['2024-12-31T23:00:00Z', '2025-06-01T00:00:00Z'],
    ],
    [
      'rules overlap: one backup serves several',
      sundays,
      { daily: 2, weekly: 2, monthly: 3 },
      [sundays[4]!, sundays[8]!, sundays[10]!, sundays[11]!],
    ],
    [
      'the oldest fills a left-over slot',
      ['2026-03-01T01:00:00Z', '2026-03-01T02:00:00Z', '2026-03-01T03:00:00Z'],
      { daily: 5 },
      ['2026-03-01T01:00:00Z', '2026-03-01T03:00:00Z'],
    ],
    ['within counts from the newest', sundays, { within: '14d' }, sundays.slice(-2)],
    ['within: just inside', sundays, { within: '14d1h' }, sundays.slice(-3)],
    ['within: months and weeks', sundays, { within: '1m1w' }, sundays.slice(-6)],
    [
      'within: a month before 31 March is 3 March',
      ['2026-03-03T12:00:00Z', '2026-03-04T12:00:00Z', '2026-03-31T12:00:00Z'],
      { within: '1m' },
      ['2026-03-04T12:00:00Z', '2026-03-31T12:00:00Z'],
    ],
    [
      'within: a backup in the future is not the newest',
      [...sundays, '2040-01-01T00:00:00Z'],
      { within: '1d' },
      [sundays[11]!, '2040-01-01T00:00:00Z'],
    ],
    ['withinHourly', hours, { withinHourly: '1h' }, [hours[4]!, hours[5]!]],
    ['withinDaily', days, { withinDaily: '2d' }, [days[3]!, days[5]!, days[7]!].slice(-2)],
    ['withinWeekly', sundays, { withinWeekly: '15d' }, sundays.slice(-3)],
    ['withinMonthly', sundays, { withinMonthly: '2m' }, [sundays[4]!, sundays[8]!, sundays[11]!]],
    [
      'withinYearly',
      ['2018-06-01T00:00:00Z', ...sundays],
      { withinYearly: '2y' },
      ['2018-06-01T00:00:00Z', sundays[11]!],
    ],
    ['a count of 0 is no rule', sundays, { last: 1, daily: 0 }, sundays.slice(-1)],
  ])('%s', (_rule, times, keep, kept) => {
    expect(keptOf(times, keep)).toEqual([...kept].sort());
  });

  it('tags: a backup with all tags of one of the lists', () => {
    const tagged: [string, string[]][] = [
      ['2026-03-01T00:00:00Z', ['a']],
      ['2026-03-02T00:00:00Z', ['b', 'c']],
      ['2026-03-03T00:00:00Z', ['b']],
      ['2026-03-04T00:00:00Z', []],
    ];
    expect(keptOf(tagged, { tags: ['a', 'b,c'] })).toEqual([tagged[0]![0], tagged[1]![0]]);
    expect(keptOf(tagged, { tags: [['b', 'c']] })).toEqual([tagged[1]![0]]);
    expect(keptOf(tagged, { tags: [''] })).toEqual([tagged[3]![0]]);
  });

  it('says every rule that keeps a backup', () => {
    expect(reasonsOf(sundays.slice(-3), { last: 1, daily: 2, within: '1y', monthly: 5 })).toEqual([
      ['last', 'daily', 'monthly', 'within 1y'],
      ['daily', 'within 1y'],
      ['oldest monthly', 'within 1y'],
    ]);
  });

  it('counts days in the zone of the schedule', () => {
    const times = ['2026-03-01T22:30:00Z', '2026-03-01T23:30:00Z'];
    expect(keptOf(times, { daily: 2 }, { timeZone: 'Europe/Berlin' })).toEqual(times);
    expect(keptOf([...times, '2026-03-02T10:00:00Z'], { daily: 1 }, { timeZone: 'Europe/Berlin' })).toEqual([
      '2026-03-02T10:00:00Z',
    ]);
    expect(keptOf([...times, '2026-03-01T10:00:00Z'], { daily: 1 })).toEqual([times[1]]);
  });

  it('counts backups of different hosts or paths apart', () => {
    const backups = [
      { id: 'a1', time: '2026-03-01T00:00:00Z', host: 'a' },
      { id: 'a2', time: '2026-03-02T00:00:00Z', host: 'a' },
      { id: 'b1', time: '2026-02-01T00:00:00Z', host: 'b' },
      { id: 'b2', time: '2026-02-01T00:00:00Z', host: 'b', paths: ['/x', '/y'] },
      { id: 'b3', time: '2026-02-02T00:00:00Z', host: 'b', paths: ['/y', '/x'] },
    ];
    const { keep } = simulateRetention({ policy: { keep: { last: 1 } }, backups, now: NOW });
    expect(keep.map((one) => one.id).sort()).toEqual(['a2', 'b1', 'b3']);
  });
});

describe('keep, against what its documentation says', () => {
  const minutes = fc.uniqueArray(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 60 });
  const periods = {
    hourly: (time: string) => time.slice(0, 13),
    daily: (time: string) => time.slice(0, 10),
    monthly: (time: string) => time.slice(0, 7),
    yearly: (time: string) => time.slice(0, 4),
  };

  it('for the last n periods that have a backup, the newest of each; then the oldest', () => {
    fc.assert(
      fc.property(
        minutes,
        fc.constantFrom(...(Object.keys(periods) as (keyof typeof periods)[])),
        fc.integer({ min: 1, max: 12 }),
        (list, period, count) => {
          const times = list
            .map((minute) => new Date(Date.UTC(2025, 10, 1) + minute * 60_000).toISOString())
            .sort();
          const newest = new Map(times.map((time) => [periods[period](time), time]));
          const wanted = new Set([...newest.values()].sort().slice(-count));
          if (newest.size < count) wanted.add(times[0]!);
          expect(keptOf(times, { [period]: count })).toEqual([...wanted].sort());
        },
      ),
    );
  });

  it('a backup is kept by all rules together when one of them keeps it', () => {
    const rule = fc.oneof(
      fc.record({ last: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ daily: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ monthly: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ withinHourly: fc.constantFrom('3d', '2m') }),
    );
    fc.assert(
      fc.property(minutes, fc.array(rule, { minLength: 1, maxLength: 4 }), (list, rules) => {
        const times = list.map((minute) => new Date(Date.UTC(2025, 10, 1) + minute * 60_000).toISOString());
        const together = Object.assign({}, ...rules) as Record<string, unknown>;
        const union = new Set(
          Object.entries(together).flatMap(([name, value]) => keptOf(times, { [name]: value })),
        );
        expect(new Set(keptOf(times, together))).toEqual(union);
      }),
    );
  });

  it('deciding again deletes nothing more', () => {
    fc.assert(
      fc.property(
        minutes,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 5 }),
        (list, last, weekly) => {
          const times = list.map((minute) => new Date(Date.UTC(2025, 10, 1) + minute * 60_000).toISOString());
          const kept = keptOf(times, { last, weekly });
          expect(keptOf(kept, { last, weekly })).toEqual(kept);
        },
      ),
    );
  });
});
