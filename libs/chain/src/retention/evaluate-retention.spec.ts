import { describe, expect, it } from '@jest/globals';
import { daily, type ListedBackup } from '../testing/index.ts';
import { evaluateRetention } from './evaluate-retention.ts';
import { readRetentionPoints } from './read-points.ts';
import { simulateRetention } from './simulate-retention.ts';
import { ZoneCalendar } from './zone-calendar.ts';

const AT = '2026-03-10T23:00:00Z';

function simulate(policy: object, backups: readonly ListedBackup[]) {
  return simulateRetention({ policy, backups, at: AT, now: AT });
}

function keptIds(policy: object, backups: readonly ListedBackup[]): string[] {
  return simulate(policy, backups)
    .keep.map((one) => one.id)
    .sort();
}

const chain: ListedBackup[] = [
  { id: 'f1', time: '2026-03-01T00:00:00Z', type: 'full', bytes: 100 },
  { id: 'i1', time: '2026-03-02T00:00:00Z', type: 'incremental', parent: 'f1', bytes: 10 },
  { id: 'd1', time: '2026-03-03T00:00:00Z', type: 'differential', base: 'f1', bytes: 20 },
  { id: 'i2', time: '2026-03-04T00:00:00Z', type: 'incremental', parent: 'd1', bytes: 10 },
];

describe('retention, rules.md section 5', () => {
  it('2 damaged and incomplete backups do not count', () => {
    const points = daily('2026-03-01', 6).map((one) =>
      one.id === '2026-03-06' ? { ...one, state: 'damaged' } : one,
    );
    const { keep, delete: gone } = simulate({ keep: { last: 1 } }, points);
    expect(keep.map((one) => one.id)).toEqual(['2026-03-06', '2026-03-05']);
    expect(keep[0]?.reasons).toEqual(['cannot be restored; does not count']);
    expect(gone).toHaveLength(4);
  });

  it('2 a damaged backup goes when everything that is kept is newer', () => {
    const points = daily('2026-03-01', 6).map((one) =>
      one.id === '2026-03-02' ? { ...one, state: 'damaged' } : one,
    );
    expect(keptIds({ keep: { last: 2 } }, points)).toEqual(['2026-03-05', '2026-03-06']);
  });

  it('3 copy-only backups and those by hand stay until there is a policy for them', () => {
    const points: ListedBackup[] = [
      ...daily('2026-03-01', 5),
      { id: 'c1', time: '2026-02-01T00:00:00Z', copyOnly: true },
      { id: 'c2', time: '2026-02-02T00:00:00Z', copyOnly: true },
      { id: 'm1', time: '2026-02-03T00:00:00Z', manual: true },
    ];
    expect(keptIds({ keep: { last: 1 } }, points)).toEqual(['2026-03-05', 'c1', 'c2', 'm1']);
    const both = { keep: { last: 1 }, copyOnly: { keep: { last: 1 } }, manual: { keep: { within: '1d' } } };
    expect(keptIds(both, points)).toEqual(['2026-03-05', 'c2', 'm1']);
  });

  it('3 a copy-only backup never counts for the others', () => {
    const points = [...daily('2026-03-01', 3), { id: 'c', time: '2026-03-04T00:00:00Z', copyOnly: true }];
    expect(keptIds({ keep: { last: 1 } }, points)).toEqual(['2026-03-03', 'c']);
  });

  it('3 without a policy everything stays, and it is said', () => {
    const calendar = new ZoneCalendar();
    const points = readRetentionPoints(chain, calendar);
    const { keep, delete: gone } = evaluateRetention(undefined, points, { now: 0, calendar });
    expect(gone).toEqual([]);
    expect(keep.every((one) => one.reasons.includes('no policy'))).toBe(true);
  });

  it('3 rules that would keep nothing of what is there are refused', () => {
    expect(() => simulate({ keep: { tags: ['never'] } }, chain)).toThrow(
      expect.objectContaining({ code: 'retention.keeps-nothing' }),
    );
  });

  it('4 what a kept backup needs is retained for it, with the bytes', () => {
    const answer = simulate({ keep: { last: 1 } }, chain);
    expect(answer.keep).toEqual([
      { id: 'i2', reasons: ['last'] },
      { id: 'd1', reasons: ['needed by i2'], retainedFor: 'i2', expired: 'no rule of keep wants it' },
      { id: 'f1', reasons: ['needed by i2'], retainedFor: 'i2', expired: 'no rule of keep wants it' },
    ]);
    expect(answer.delete).toEqual([{ id: 'i1', reason: 'no rule of keep wants it' }]);
    expect(answer.bytes).toEqual({ kept: 10, retained: 120, deleted: 10 });
  });

  it('4 a pin holds a backup and what it needs', () => {
    const pinned = chain.map((one) => (one.id === 'i1' ? { ...one, pinned: true } : one));
    const later = [...pinned, { id: 'f2', time: '2026-03-05T00:00:00Z', type: 'full' as const }];
    expect(simulate({ keep: { last: 1 } }, later).keep).toEqual([
      { id: 'f2', reasons: ['last'] },
      { id: 'i1', reasons: ['pinned'] },
      { id: 'f1', reasons: ['needed by i1'], retainedFor: 'i1', expired: 'no rule of keep wants it' },
    ]);
  });

  it('4 a closure that is given decides, not the parent: a composed full needs nobody', () => {
    const composed: ListedBackup[] = [
      ...chain,
      { id: 'f2', time: '2026-03-05T00:00:00Z', type: 'full', parent: 'i2', closure: [] },
    ];
    expect(keptIds({ keep: { last: 1 } }, composed)).toEqual(['f2']);
  });

  it('5 an incremental without a parent follows the backup before it', () => {
    const bare = chain.map(({ id, time, type }) => ({ id, time, ...(type === undefined ? {} : { type }) }));
    expect(keptIds({ keep: { last: 1 } }, bare)).toEqual(['d1', 'f1', 'i2']);
  });

  const logs: ListedBackup[] = [
    { id: 'l0', time: '2026-02-28T00:00:00Z', type: 'log' },
    { id: 'l1', time: '2026-03-01T12:00:00Z', type: 'log' },
    { id: 'l2', time: '2026-03-03T12:00:00Z', type: 'log' },
    { id: 'l3', time: '2026-03-05T12:00:00Z', type: 'log' },
  ];

  it('6 by default the logs after the oldest backup of the short term stay', () => {
    const points = [...daily('2026-03-01', 5), ...logs];
    expect(keptIds({ keep: { last: 2 } }, points)).toEqual(['2026-03-04', '2026-03-05', 'l3']);
    expect(keptIds({ keep: { last: 2, monthly: 3 } }, points)).toContain('l3');
  });

  it('6 logs for: any second of the window can be had, also its first', () => {
    const points = [...daily('2026-03-01', 5), ...logs];
    const answer = simulate({ keep: { last: 1 }, logs: { for: '8d' } }, points);
    // 8 days before 10 March 23:00 is 2 March 23:00: it is reached from the backup of 2 March 12:00.
    expect(answer.keep.map((one) => one.id).sort()).toEqual(['2026-03-02', '2026-03-05', 'l2', 'l3']);
    expect(answer.keep.find((one) => one.id === '2026-03-02')?.reasons).toEqual(['start of logs for 8d']);
  });

  it('6 a log in which nothing was committed stays where those after it need it, whatever time it shows', () => {
    const place = (position: number) => ({ family: 'bank', position: String(position) });
    const points: ListedBackup[] = [
      ...daily('2026-03-01', 3).map((one, index) => ({ ...one, ...place(100 * (index + 1)) })),
      { id: 'before', time: '2026-03-01T13:00:00Z', type: 'log', ...place(190) },
      { id: 'bulk load', time: '1970-01-01T00:00:00Z', type: 'log', ...place(250) },
      { id: 'idle', time: '2026-03-01T13:00:00Z', type: 'log', ...place(270) },
      { id: 'after', time: '2026-03-02T15:00:00Z', type: 'log', ...place(290) },
    ];
    const kept = ['2026-03-02', '2026-03-03', 'after', 'bulk load', 'idle'];
    expect(keptIds({ keep: { last: 2 } }, points)).toEqual(kept);
  });

  it('6 logs never count and never keep a policy from being refused', () => {
    expect(() => simulate({ keep: { tags: ['x'] } }, [...chain, ...logs])).toThrow(
      expect.objectContaining({ code: 'retention.keeps-nothing' }),
    );
  });
});

describe('simulating day by day', () => {
  it('shows on which day what goes and why, and leaves quiet days out', () => {
    const backups = daily('2026-03-01', 3, ['full', 'incremental', 'full']).map((one) => ({
      ...one,
      bytes: 7,
    }));
    const more = [...backups, ...daily('2026-03-04', 3)];
    const { days } = simulateRetention({
      policy: { days: 2 },
      backups: more,
      at: '2026-03-03',
      until: '2026-03-31',
      now: AT,
    });
    expect(days).toEqual([
      {
        date: '2026-03-04',
        delete: [],
        expire: [
          { id: '2026-03-01', reason: '2026-03-01 is before 2026-03-02 (days 2)', neededBy: '2026-03-02' },
        ],
        bytesDeleted: 0,
      },
      {
        date: '2026-03-05',
        delete: [
          { id: '2026-03-02', reason: '2026-03-02 is before 2026-03-03 (days 2)' },
          { id: '2026-03-01', reason: '2026-03-01 is before 2026-03-03 (days 2)' },
        ],
        expire: [],
        bytesDeleted: 14,
      },
      {
        date: '2026-03-06',
        delete: [{ id: '2026-03-03', reason: '2026-03-03 is before 2026-03-04 (days 2)' }],
        expire: [],
        bytesDeleted: 7,
      },
    ]);
  });

  it('refuses an end before its start', () => {
    expect(() =>
      simulateRetention({ policy: { days: 2 }, backups: [], at: '2026-03-03', until: '2026-03-02', now: AT }),
    ).toThrow(expect.objectContaining({ code: 'retention.until-wrong' }));
  });

  it('takes histories of thousands of backups', () => {
    const backups = daily('1999-01-01', 9_000, ['full', 'incremental', 'incremental', 'incremental']);
    const answer = simulateRetention({
      policy: { keep: { daily: 7, weekly: 5, monthly: 12, yearly: 75 } },
      backups,
      now: AT,
    });
    expect(answer.keep.length + answer.delete.length).toBe(9_000);
    expect(answer.keep.filter((one) => one.reasons.includes('yearly'))).toHaveLength(25);
  });
});

describe('reading backups', () => {
  it.each([
    ['no list', {}],
    ['an entry that is no object', [1]],
    ['an entry without an id', [{ time: AT }]],
    ['an entry without a time', [{ id: 'a' }]],
    ['a time nobody can read', [{ id: 'a', time: 'noon' }]],
    ['a type nobody knows', [{ id: 'a', time: AT, type: 'mirror' }]],
    [
      'an id that is there twice',
      [
        { id: 'a', time: AT },
        { id: 'a', time: AT },
      ],
    ],
  ])('refuses %s by name', (_what, backups) => {
    expect(() => simulateRetention({ policy: { days: 2 }, backups, now: AT })).toThrow(
      expect.objectContaining({ code: 'retention.backups-unreadable' }),
    );
  });

  it('reads times with offsets, without one in the zone, and to the fraction of a second', () => {
    const calendar = new ZoneCalendar('Europe/Berlin');
    const times = [
      '2026-03-01T12:00:00+01:00',
      '2026-03-01 12:00:00',
      '2026-03-01T11:00:00.000000001Z',
      '2026-03-01',
    ];
    const points = readRetentionPoints(
      times.map((time, index) => ({ id: String(index), time })),
      calendar,
    );
    const noon = Date.UTC(2026, 2, 1, 11);
    expect(points.map((one) => one.time - noon)).toEqual([0, 0, 0, -12 * 3_600_000]);
  });
});
