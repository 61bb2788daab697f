import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { daily, type ListedBackup } from '../testing/index.ts';
import { simulateRetention } from './simulate-retention.ts';

function simulate(policy: object, backups: readonly ListedBackup[], at: string, more: object = {}) {
  return simulateRetention({ policy, backups, at: `${at}T23:00:00Z`, now: `${at}T23:00:00Z`, ...more });
}

function keptOf(policy: object, backups: readonly ListedBackup[], at: string): string[] {
  return simulate(policy, backups, at)
    .keep.map((one) => one.id)
    .sort();
}

function flagsOf(gfs: object, backups: readonly ListedBackup[], at: string): Record<string, string[]> {
  const { keep } = simulate({ points: 1, gfs }, backups, at);
  const flagged = keep.map(
    (one) => [one.id, one.reasons.filter((reason) => /weekly|monthly|yearly/.test(reason))] as const,
  );
  return Object.fromEntries(
    flagged.filter(([, reasons]) => reasons.length > 0).map(([id, reasons]) => [id, [...reasons]]),
  );
}

describe('the short term, veeam.md 2.3', () => {
  // 2026-03-01 is a Sunday.
  it('N = 6, daily from Sunday: the second Sunday is the first day on which a point goes', () => {
    const week = daily('2026-03-01', 8);
    expect(keptOf({ days: 6 }, week.slice(0, 7), '2026-03-07')).toHaveLength(7);
    expect(keptOf({ days: 6 }, week, '2026-03-08')).toEqual(week.slice(1).map((one) => one.id));
  });

  it('N = 3, fulls on Sunday and Thursday: the first chain goes on the next Sunday', () => {
    const types = [
      'full',
      'incremental',
      'incremental',
      'incremental',
      'full',
      'incremental',
      'incremental',
    ] as const;
    const points = daily('2026-03-01', 8, types);
    expect(simulate({ days: 3 }, points, '2026-03-07').delete).toEqual([]);
    expect(
      simulate({ days: 3 }, points, '2026-03-08')
        .delete.map((one) => one.id)
        .sort(),
    ).toEqual(['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04']);
  });

  it('an outage of 10 days with N = 5: the new point and two older survive', () => {
    const points = [...daily('2026-03-01', 7), ...daily('2026-03-18', 1)];
    expect(keptOf({ days: 5 }, points, '2026-03-18')).toEqual(['2026-03-06', '2026-03-07', '2026-03-18']);
  });

  it('days with no backup still count', () => {
    const points = daily('2026-03-01', 10).filter((_, index) => index % 2 === 0);
    expect(keptOf({ days: 5 }, points, '2026-03-10')).toEqual(['2026-03-05', '2026-03-07', '2026-03-09']);
  });

  it('points: the newest N, and never fewer than 3', () => {
    const points = daily('2026-03-01', 10);
    expect(keptOf({ points: 4 }, points, '2026-03-10')).toHaveLength(4);
    expect(keptOf({ points: 1 }, points, '2026-03-10')).toHaveLength(3);
    expect(keptOf({ days: 1 }, points, '2026-04-10')).toHaveLength(3);
  });

  it('says why a point stays and why it goes', () => {
    const answer = simulate({ days: 3 }, daily('2026-03-01', 6), '2026-03-06');
    expect(answer.keep[0]?.reasons).toEqual(['days 3']);
    expect(answer.delete.at(-1)).toEqual({
      id: '2026-03-01',
      reason: '2026-03-01 is before 2026-03-03 (days 3)',
    });
  });
});

describe('the long term, veeam.md 2.5', () => {
  it('1 weekly: the full of the chosen weekday', () => {
    expect(flagsOf({ weekly: { keep: 4, on: 'sunday' } }, daily('2026-03-02', 14), '2026-03-15')).toEqual({
      '2026-03-08': ['weekly until 2026-04-05'],
      '2026-03-15': ['weekly until 2026-04-12'],
    });
  });

  it('5 a missed day is made up by the next full, marked with the day it was meant for', () => {
    const points = daily('2026-03-02', 14).filter((one) => one.id !== '2026-03-08');
    expect(flagsOf({ weekly: { keep: 4, on: 'sunday' } }, points, '2026-03-15')).toEqual({
      '2026-03-09': ['weekly for 2026-03-08 until 2026-04-06'],
      '2026-03-15': ['weekly until 2026-04-12'],
    });
  });

  it('5 an incremental on the day is no full: the next full is flagged', () => {
    const points = daily('2026-03-02', 14, ['full', 'incremental']);
    // 8 March is an incremental, 9 March no point of its own: the 10th is the next full after it.
    const types = points.map((one) =>
      one.id === '2026-03-09' ? { ...one, type: 'incremental' as const } : one,
    );
    expect(Object.keys(flagsOf({ weekly: { keep: 4, on: 'sunday' } }, types, '2026-03-14'))).toEqual([
      '2026-03-08',
    ]);
    const shifted = daily('2026-03-03', 14, ['full', 'incremental']);
    expect(Object.keys(flagsOf({ weekly: { keep: 9, on: 'sunday' } }, shifted, '2026-03-16'))).toContain(
      '2026-03-09',
    );
  });

  it('2 monthly with weekly: the flag goes on the weekly full of the chosen week', () => {
    const gfs = { weekly: { keep: 9, on: 'wednesday' }, monthly: { keep: 2, week: 'second' } };
    const flags = flagsOf(gfs, daily('2026-03-01', 31), '2026-03-31');
    expect(flags['2026-03-11']).toEqual([
      'weekly until 2026-05-13',
      'monthly for 2026-03-08 until 2026-05-12',
    ]);
    expect(
      Object.values(flags)
        .flat()
        .filter((one) => one.startsWith('monthly')),
    ).toHaveLength(1);
  });

  it.each([
    ['first', '2026-03-01'],
    ['second', '2026-03-08'],
    ['third', '2026-03-15'],
    ['fourth', '2026-03-22'],
    ['last', '2026-03-25'],
  ])('2 monthly alone, week %s: the first day of that block of seven', (week, day) => {
    const flags = flagsOf({ monthly: { keep: 2, week } }, daily('2026-02-25', 40), '2026-04-05');
    expect(Object.keys(flags)).toContain(day);
  });

  it.each([
    ['2026-02', '2026-02-22'],
    ['2024-02', '2024-02-23'],
    ['2026-04', '2026-04-24'],
    ['2026-03', '2026-03-25'],
  ])('2 the last week of %s begins on %s', (month, day) => {
    const flags = flagsOf({ monthly: { keep: 1, week: 'last' } }, daily(`${month}-01`, 28), `${month}-28`);
    expect(Object.keys(flags)).toEqual([day]);
  });

  it('3 yearly with monthly: the flag goes on that month’s monthly', () => {
    const gfs = { monthly: { keep: 20, week: 'first' }, yearly: { keep: 1, month: 'march' } };
    const flags = flagsOf(gfs, daily('2026-01-15', 120), '2026-05-14');
    expect(flags['2026-03-01']).toEqual(['monthly until 2027-11-02', 'yearly until 2027-03-02']);
    expect(
      Object.values(flags)
        .flat()
        .filter((one) => one.startsWith('yearly')),
    ).toHaveLength(1);
  });

  it('3 yearly alone: the first day of the chosen month; months may be numbers', () => {
    const flags = flagsOf({ yearly: { keep: 2, month: 2 } }, daily('2026-01-15', 40), '2026-02-23');
    expect(flags).toEqual({ '2026-02-01': ['yearly until 2028-02-02'] });
  });

  it('weekly and yearly without monthly behave independently', () => {
    const gfs = { weekly: { keep: 50, on: 'sunday' }, yearly: { keep: 1, month: 'march' } };
    const flags = flagsOf(gfs, daily('2026-02-23', 14), '2026-03-08');
    expect(flags['2026-03-01']).toEqual(['weekly until 2027-02-14', 'yearly until 2027-03-02']);
    const later = flagsOf(
      { weekly: { keep: 50, on: 'tuesday' }, yearly: { keep: 1, month: 'march' } },
      daily('2026-02-23', 14),
      '2026-03-08',
    );
    expect(later['2026-03-01']).toEqual(['yearly until 2027-03-02']);
  });

  it('4 a period that was over before the first point is not made up', () => {
    const flags = flagsOf(
      { weekly: { keep: 4, on: 'sunday' }, monthly: { keep: 4, week: 'first' } },
      daily('2026-03-10', 5),
      '2026-03-14',
    );
    expect(flags).toEqual({});
  });

  it('4 a chosen week that has begun is still made up', () => {
    const flags = flagsOf({ monthly: { keep: 4, week: 'first' } }, daily('2026-03-04', 5), '2026-03-08');
    expect(flags).toEqual({ '2026-03-04': ['monthly for 2026-03-01 until 2026-07-05'] });
  });

  it.each([
    ['monthly', { monthly: { keep: 1, week: 'last' } }, '2026-01-31', '2026-03-01'],
    ['yearly', { yearly: { keep: 1, month: 'february' } }, '2024-02-29', '2025-03-01'],
    ['weekly', { weekly: { keep: 2, on: 'saturday' } }, '2026-01-31', '2026-02-14'],
  ])('the %s flag of a day at the end of a month ends as the formula says', (level, gfs, day, end) => {
    expect(flagsOf(gfs, daily(day, 1), day)[day]?.[0]).toMatch(new RegExp(`^${level}.* until ${end}$`));
  });

  it('a full is kept until its last flag is gone', () => {
    const gfs = { weekly: { keep: 1, on: 'sunday' }, monthly: { keep: 1, week: 'first' } };
    const points = [...daily('2026-03-01', 1), ...daily('2026-05-20', 5)];
    const keeps = (at: string) =>
      simulate({ days: 1, gfs }, points, at).keep.find((one) => one.id === '2026-03-01');
    expect(keeps('2026-04-01')?.reasons).toContain('monthly until 2026-04-02');
    const gone = simulate({ days: 1, gfs }, points, '2026-05-24').delete;
    expect(gone.at(-1)?.reason).toContain('weekly ended 2026-03-08; monthly ended 2026-04-02');
  });
});

describe('short and long term together, veeam.md 2.4', () => {
  it('a flagged full of an old chain stays without its increments, and is not counted', () => {
    const points = daily('2026-03-01', 10, [
      'full',
      'incremental',
      'incremental',
      'incremental',
      'incremental',
    ]);
    const answer = simulate({ points: 4, gfs: { weekly: { keep: 8, on: 'sunday' } } }, points, '2026-03-10');
    expect(answer.keep.map((one) => one.id).sort()).toEqual([
      '2026-03-01',
      '2026-03-06',
      '2026-03-07',
      '2026-03-08',
      '2026-03-09',
      '2026-03-10',
    ]);
    expect(answer.keep.find((one) => one.id === '2026-03-06')).toMatchObject({
      retainedFor: expect.any(String),
    });
  });
});

describe('whatever the history', () => {
  const policies = fc.oneof(
    fc.record({ days: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ points: fc.integer({ min: 1, max: 20 }) }),
    fc.record({
      days: fc.integer({ min: 1, max: 10 }),
      gfs: fc.record({
        weekly: fc.record({ keep: fc.integer({ min: 1, max: 4 }), on: fc.constantFrom('sunday', 'wed') }),
      }),
    }),
    fc.record({ keep: fc.record({ last: fc.integer({ min: 1, max: 5 }), weekly: fc.nat(4) }) }),
  );
  const type = fc.constantFrom('full' as const, 'incremental' as const, 'differential' as const);
  const histories = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 72 }), type), { minLength: 1, maxLength: 50 })
    .map((gaps) => {
      let hour = 0;
      return gaps.map(([gap, kind], index): ListedBackup => {
        hour += gap;
        const time = new Date(Date.UTC(2026, 2, 1) + hour * 3_600_000).toISOString();
        return { id: `b${index}`, time, type: index === 0 ? 'full' : kind };
      });
    });

  it('whatever is kept has everything it needs', () => {
    fc.assert(
      fc.property(histories, policies, fc.nat(60), (backups, policy, after) => {
        const at = new Date(Date.UTC(2026, 2, 1 + after)).toISOString();
        const present = backups.filter((one) => one.time <= at);
        const { keep, delete: gone } = simulateRetention({ policy, backups, at, now: at });
        const kept = new Set(keep.map((one) => one.id));
        expect(kept.size + gone.length).toBe(present.length);
        present.forEach((backup, index) => {
          if (!kept.has(backup.id) || backup.type === 'full') return;
          const before = present.slice(0, index);
          const need =
            backup.type === 'incremental' ? before.at(-1) : before.findLast((one) => one.type === 'full');
          expect(need === undefined || kept.has(need.id)).toBe(true);
        });
      }),
    );
  });

  it('at least three usable points stay, or all there are', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 20 }), (backups, days) => {
        const at = '2027-01-01T00:00:00Z';
        const { keep } = simulateRetention({ policy: { days }, backups, at, now: at });
        const own = keep.filter((one) => one.retainedFor === undefined);
        expect(own.length).toBe(Math.min(3, backups.length));
      }),
    );
  });

  it('day by day nothing comes back, and the last day agrees with a look at that day', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 10 }), (backups, days) => {
        const first = backups[0]?.time ?? '';
        const answer = simulateRetention({
          policy: { days },
          backups,
          at: first,
          now: first,
          until: '2026-09-01',
        });
        const gone = (answer.days ?? []).flatMap((day) => day.delete.map((one) => one.id));
        expect(new Set(gone).size).toBe(gone.length);
        const end = '2026-09-01T23:59:59Z';
        const last = simulateRetention({ policy: { days }, backups, at: end, now: end });
        expect(new Set(gone)).toEqual(new Set(last.delete.map((one) => one.id)));
      }),
      { numRuns: 30 },
    );
  });
});
