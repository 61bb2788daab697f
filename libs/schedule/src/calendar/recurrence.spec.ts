import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  instantsAfter,
  isoInstant,
  localTime,
  millisecondsOf,
  recurrence,
  type ClockChangeRule,
} from './recurrence.ts';
import { bruteForce, wallTable, type BruteRule, type WallTable } from '../testing/brute-force.ts';
import { changesFromZdump, wallTableOf, type ZoneChange } from '../testing/zdump.ts';

/** rule, zone, cron, after, expected instants */
const rows: [string, string, string, string, string[]][] = [
  [
    '3.3 a skipped time is read with the offset from before, once',
    'Europe/Berlin',
    '30 2 * * *',
    '2025-03-29T00:00:00Z',
    ['2025-03-29T01:30:00.000Z', '2025-03-30T01:30:00.000Z', '2025-03-31T00:30:00.000Z'],
  ],
  [
    '3.3 a time that happens twice fires once, at the first',
    'Europe/Berlin',
    '30 2 * * *',
    '2025-10-25T12:00:00Z',
    ['2025-10-26T00:30:00.000Z', '2025-10-27T01:30:00.000Z'],
  ],
  [
    '3.3 an hour field of all 24 hours leaves the gap out',
    'Europe/Berlin',
    '30 * * * *',
    '2025-03-30T00:00:00Z',
    ['2025-03-30T00:30:00.000Z', '2025-03-30T01:30:00.000Z', '2025-03-30T02:30:00.000Z'],
  ],
  [
    '3.3 an hour field of all 24 hours takes both passes',
    'Europe/Berlin',
    '30 0-23 * * *',
    '2025-10-26T00:00:00Z',
    ['2025-10-26T00:30:00.000Z', '2025-10-26T01:30:00.000Z', '2025-10-26T02:30:00.000Z'],
  ],
  [
    '3.3 two nominal times on one instant are one firing',
    'Europe/Berlin',
    '30 2,3 * * *',
    '2025-03-30T00:00:00Z',
    ['2025-03-30T01:30:00.000Z', '2025-03-31T00:30:00.000Z', '2025-03-31T01:30:00.000Z'],
  ],
  [
    '3.3 skipped times land among later ones in order',
    'Europe/Berlin',
    '0,30 2,3 30 3 *',
    '2025-03-29T00:00:00Z',
    ['2025-03-30T01:00:00.000Z', '2025-03-30T01:30:00.000Z', '2026-03-30T00:00:00.000Z'],
  ],
  [
    '3.3 a gap of 30 minutes (Lord Howe)',
    'Australia/Lord_Howe',
    '15 2 * * *',
    '2025-10-03T18:00:00Z',
    ['2025-10-04T15:45:00.000Z', '2025-10-05T15:15:00.000Z'],
  ],
  [
    '3.3 a gap of two hours (Troll)',
    'Antarctica/Troll',
    '30 2 * * *',
    '2025-03-29T12:00:00Z',
    ['2025-03-30T02:30:00.000Z', '2025-03-31T00:30:00.000Z'],
  ],
  [
    '3.3 a midnight that does not exist (Santiago)',
    'America/Santiago',
    '0 0 * * *',
    '2025-09-06T12:00:00Z',
    ['2025-09-07T04:00:00.000Z', '2025-09-08T03:00:00.000Z'],
  ],
  [
    '3.3 a midnight that happens twice (Santiago)',
    'America/Santiago',
    '30 23 * * *',
    '2025-04-05T12:00:00Z',
    ['2025-04-06T02:30:00.000Z', '2025-04-07T03:30:00.000Z'],
  ],
  [
    '3.3 the last hour of a month that comes twice (Dhaka), for a rhythm that rests from then on',
    'Asia/Dhaka',
    '59 * L * *',
    '2009-12-31T15:00:00Z',
    ['2009-12-31T15:59:00.000Z', '2009-12-31T16:59:00.000Z', '2009-12-31T17:59:00.000Z'],
  ],
  [
    '3.3 a midnight that does not exist (Cairo)',
    'Africa/Cairo',
    '0 0 * * *',
    '2024-04-25T12:00:00Z',
    ['2024-04-25T22:00:00.000Z', '2024-04-26T21:00:00.000Z'],
  ],
  [
    '3.3 a lost day (Apia 2011): both noons are one firing',
    'Pacific/Apia',
    '0 12 * * *',
    '2011-12-28T23:00:00Z',
    ['2011-12-29T22:00:00.000Z', '2011-12-30T22:00:00.000Z', '2011-12-31T22:00:00.000Z'],
  ],
  [
    '3.3 a time of the lost day only (Apia 2011) comes a day later',
    'Pacific/Apia',
    '0 12 30 12 *',
    '2011-12-01T00:00:00Z',
    ['2011-12-30T22:00:00.000Z', '2012-12-29T22:00:00.000Z'],
  ],
  [
    '3.3 the default zone has no clock changes',
    'UTC',
    '30 2 * * *',
    '2025-03-29T12:00:00Z',
    ['2025-03-30T02:30:00.000Z', '2025-03-31T02:30:00.000Z'],
  ],
  [
    '3.3 a leap day',
    'Asia/Kolkata',
    '0 6 29 2 *',
    '2096-03-01T00:00:00Z',
    ['2104-02-29T00:30:00.000Z', '2108-02-29T00:30:00.000Z'],
  ],
];

describe('instants of a cadence', () => {
  it.each(rows)('rule %s: %s "%s"', (_, zone, cron, after, expected) => {
    expect(instantsAfter(cron, zone, after, { count: expected.length })).toEqual(expected);
  });

  it('rule 3.3: `until` is included, `after` is not', () => {
    const until = '2025-01-03T00:00:00Z';
    expect(instantsAfter('@daily', 'UTC', '2025-01-01T00:00:00Z', { until })).toEqual([
      '2025-01-02T00:00:00.000Z',
      '2025-01-03T00:00:00.000Z',
    ]);
  });

  it('shows local times with their offset', () => {
    expect(localTime('2025-03-30T01:30:00.000Z', 'Europe/Berlin')).toBe('2025-03-30T03:30:00+02:00');
    expect(localTime('2025-01-01T00:00:00Z', 'America/St_Johns')).toBe('2024-12-31T20:30:00-03:30');
  });

  it('refuses an instant without a zone and an unknown zone', () => {
    expect(() => millisecondsOf('2025-01-01T00:00:00')).toThrow(/is not an instant/);
    expect(() => recurrence('@daily', 'Europe/Berln')).toThrow(/There is no time zone "Europe\/Berln"/);
  });
});

/** zone and the instant of a clock change of it */
const changes: [string, string][] = [
  ['Europe/Berlin', '2025-03-30T01:00:00Z'],
  ['Europe/Berlin', '2025-10-26T01:00:00Z'],
  ['America/New_York', '2024-03-10T07:00:00Z'],
  ['America/New_York', '2024-11-03T06:00:00Z'],
  ['Australia/Lord_Howe', '2025-04-05T15:00:00Z'],
  ['Australia/Lord_Howe', '2025-10-04T15:30:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['Pacific/Apia', '2012-03-31T14:00:00Z'],
  ['America/Santiago', '2025-04-06T03:00:00Z'],
  ['America/Santiago', '2025-09-07T04:00:00Z'],
  ['Africa/Cairo', '2024-04-25T22:00:00Z'],
  ['Africa/Cairo', '2024-10-31T21:00:00Z'],
  ['Antarctica/Troll', '2025-03-30T01:00:00Z'],
  ['Antarctica/Troll', '2025-10-26T01:00:00Z'],
  ['Africa/Casablanca', '2024-03-10T02:00:00Z'],
  ['Africa/Casablanca', '2024-04-14T02:00:00Z'],
  ['Europe/Dublin', '2024-10-27T01:00:00Z'],
  ['Pacific/Kwajalein', '1993-08-20T12:00:00Z'],
  ['Asia/Pyongyang', '2018-05-04T15:00:00Z'],
  ['America/Caracas', '2007-12-09T07:00:00Z'],
];

const DAYS = 6;
const tables = new Map<string, WallTable>();
function tableAround([zone, change]: [string, string]): WallTable {
  const key = `${zone} ${change}`;
  const known = tables.get(key);
  if (known) return known;
  const start = Date.parse(change) - (DAYS / 2) * 86_400_000;
  const table = wallTable(zone, start, DAYS * 1440);
  tables.set(key, table);
  return table;
}

const anyCron = fc
  .tuple(
    fc.constantFrom('0', '30', '*', '*/20', '15,45', '59', '0-4'),
    fc.constantFrom('*', '0-23', '2', '0', '1-3', '*/2', '23', '0,12', '2,3', '22-23,0-1'),
    fc.constantFrom('*', '*', '*/2', '1-7', '30'),
    fc.constantFrom('*', '*', '*/2', '3-12'),
    fc.constantFrom('*', '*', '5', '0,6', '1-5'),
  )
  .map((fields) => fields.join(' '));

/** dst, cron, after, expected instants, all in Berlin */
const dstRows: [string, ClockChangeRule, string, string, string[]][] = [
  ['gap: skip', { gap: 'skip' }, '30 2 * * *', '2025-03-29T12:00:00Z', ['2025-03-31T00:30:00.000Z']],
  [
    'overlap: twice',
    { overlap: 'twice' },
    '30 2 * * *',
    '2025-10-25T12:00:00Z',
    ['2025-10-26T00:30:00.000Z', '2025-10-26T01:30:00.000Z', '2025-10-27T01:30:00.000Z'],
  ],
  [
    'overlap: once, also for all hours',
    { overlap: 'once' },
    '30 * * * *',
    '2025-10-26T00:00:00Z',
    ['2025-10-26T00:30:00.000Z', '2025-10-26T02:30:00.000Z'],
  ],
  [
    'gap: shift, also for all hours, merges',
    { gap: 'shift' },
    '30 * * * *',
    '2025-03-30T00:00:00Z',
    ['2025-03-30T00:30:00.000Z', '2025-03-30T01:30:00.000Z', '2025-03-30T02:30:00.000Z'],
  ],
];

describe('other rules for clock changes', () => {
  it.each(dstRows)('issue 6.1: dst %s', (_, dst, cron, after, expected) => {
    expect(instantsAfter(cron, 'Europe/Berlin', after, { count: expected.length }, dst)).toEqual(expected);
  });
});

describe('a fixed distance', () => {
  it('issue 6.1: every 6h counts in real time from 1970, moved by its phase', () => {
    const ask = (text: string) => instantsAfter(text, 'Europe/Berlin', '2025-03-29T23:10:00Z', { count: 3 });
    expect(ask('every 6h')).toEqual([
      '2025-03-30T00:00:00.000Z',
      '2025-03-30T06:00:00.000Z',
      '2025-03-30T12:00:00.000Z',
    ]);
    expect(ask('every 6h phase 5h30m')[0]).toBe('2025-03-29T23:30:00.000Z');
    expect(ask('every 90s')[1]).toBe('2025-03-29T23:12:00.000Z');
  });

  it('issue 6.1: six fields name seconds', () => {
    expect(instantsAfter('15,45 30 2 * * *', 'Europe/Berlin', '2025-03-30T00:00:00Z', { count: 3 })).toEqual([
      '2025-03-30T01:30:15.000Z',
      '2025-03-30T01:30:45.000Z',
      '2025-03-31T00:30:15.000Z',
    ]);
  });
});

describe('instants around clock changes, against a brute force', () => {
  it('rule 3.3 holds for every zone and cron, from whichever instant one asks', () => {
    fc.assert(
      fc.property(fc.constantFrom(...changes), anyCron, fc.nat(), (change, cron, seed) => {
        const table = tableAround(change);
        const margin = 26 * 60;
        const expected = bruteForce(cron, table, margin);
        const start = table.start + margin * 60_000;
        const end = table.start + (table.walls.length - margin) * 60_000;
        const times = recurrence(cron, change[0]);
        const actual: number[] = [];
        for (let at = times.next(start - 1); at !== undefined && at < end; at = times.next(at))
          actual.push(at);
        // Thousands of instants: texts are made of them only when they differ.
        if (actual.join() !== expected.join()) {
          expect([change, cron, actual.map(isoInstant)]).toEqual([change, cron, expected.map(isoInstant)]);
        }
        const anywhere = start + (seed % (end - start));
        const following = expected.find((instant) => instant > anywhere);
        if (following !== undefined) expect(times.next(anywhere)).toBe(following);
      }),
      { numRuns: 150, seed: 7 },
    );
  });
});

/** Crons of every kind that a clock change can touch. */
const everyKind = [
  '30 2 * * *',
  '0 0 * * *',
  '*/20 * * * *',
  '15 1-3 * * *',
  '0,30 23,0,1 * * *',
  '59 * L * *',
  '0 */2 * * 0L',
  '45 2 * * 6#1,0#1,5#5',
  '0 12 1,L * *',
];
const anyRule: fc.Arbitrary<BruteRule | undefined> = fc.option(
  fc.record({ gap: fc.constantFrom('shift', 'skip'), overlap: fc.constantFrom('once', 'twice') }),
  { nil: undefined },
);
const ten = changesFromZdump(Intl.supportedValuesOf('timeZone'), [2007, 2017]);
const nearDays = 3;

function tableNear(change: ZoneChange): WallTable {
  const near = changesOf.get(change.zone)!.filter(({ at }) => Math.abs(at - change.at) < 60 * 86_400_000);
  return wallTableOf(change, near, nearDays * 1440);
}

function disagreement(
  change: ZoneChange,
  cron: string,
  rule: BruteRule | undefined,
  table = tableNear(change),
): unknown {
  const margin = 26 * 60;
  const expected = bruteForce(cron, table, margin, rule);
  const start = table.start + margin * 60_000;
  const end = table.start + (table.walls.length - margin) * 60_000;
  const times = recurrence(cron, change.zone, rule);
  const actual: number[] = [];
  for (let at = times.next(start - 1); at !== undefined && at < end; at = times.next(at)) actual.push(at);
  if (actual.join() === expected.join()) return undefined;
  return { change, cron, rule, actual: actual.map(isoInstant), expected: expected.map(isoInstant) };
}

const changesOf = Map.groupBy(ten ?? [], ({ zone }) => zone);

(ten ? describe : describe.skip)(
  'instants around every clock change of ten years, zdump being the judge',
  () => {
    it('rule 3.3 holds whichever rule for clock changes is chosen', () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...ten!),
          fc.constantFrom(...everyKind),
          anyRule,
          (change, cron, rule) => {
            expect(disagreement(change, cron, rule)).toBeUndefined();
          },
        ),
        { numRuns: 150, seed: 11 },
      );
    });

    (process.env['CATENA_TEST_LONG'] === '1' ? it : it.skip)(
      'rule 3.3 holds at each change of each zone for each kind of cron',
      () => {
        for (const change of ten!) {
          const table = tableNear(change);
          for (const cron of everyKind) expect(disagreement(change, cron, undefined, table)).toBeUndefined();
        }
      },
      3_600_000,
    );
  },
);
