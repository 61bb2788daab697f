import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DAY, HOUR, SECOND } from './cron-calendar.ts';
import { RowBuilder } from './instant-row.ts';
import { recurrence, type ClockChangeRule } from './recurrence.ts';

const zones = [
  'UTC',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'America/Santiago',
  'Africa/Cairo',
  'Pacific/Apia',
];
const rhythms = [
  '* * * * *',
  '*/7 3 * * *',
  '30 2 * * *',
  '0 */2 * * *',
  '15 0,23 L * *',
  '0 0 * * mon#1',
  '5-50/9 1-3 * * 0',
  '@hourly',
  'every 7m',
  'every 5h phase 2h',
  '30 */5 2 * * *',
];

function oneByOne(rhythm: string, zone: string, after: number, upTo: number, dst: ClockChangeRule) {
  const times = recurrence(rhythm, zone, dst);
  const rows = new RowBuilder();
  for (let at = times.next(after); at !== undefined && at <= upTo; at = times.next(at)) rows.add(at);
  return rows.row;
}

describe('a row of instants', () => {
  it('is the same as the instants one by one, over the clock changes of every kind of zone', () => {
    // Late 2011 has Apia's lost day; a span of half a year has at least one change in every other zone.
    const start = fc.integer({ min: Date.UTC(2011, 8, 1) / 1000, max: Date.UTC(2012, 3, 1) / 1000 });
    const length = fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 60 * 86_400 }));
    const rule = fc.record(
      {
        gap: fc.constantFrom('shift' as const, 'skip' as const),
        overlap: fc.constantFrom('once' as const, 'twice' as const),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...rhythms),
        fc.constantFrom(...zones),
        start,
        length,
        rule,
        (rhythm, zone, from, seconds, dst) => {
          const after = from * 1000 + (from % 3 === 0 ? 1 : 0);
          const upTo = after + seconds * 1000;
          expect(recurrence(rhythm, zone, dst).row(after, upTo)).toEqual(
            oneByOne(rhythm, zone, after, upTo, dst),
          );
        },
      ),
      { seed: 3, numRuns: process.env['CATENA_TEST_LONG'] === '1' ? 3_000 : 60 },
    );
  });

  it('of every second of ten years is counted, not walked through', () => {
    const from = Date.UTC(2020, 0, 1);
    const to = Date.UTC(2030, 0, 1);
    expect(recurrence('* * * * * *', 'Europe/Berlin').row(from, to)).toEqual({
      first: from + SECOND,
      beforeLatest: to - SECOND,
      latest: to,
      count: (to - from) / SECOND,
    });
    // One second in the hour before midnight, on the last day of February only.
    expect(recurrence('0 30 23 L 2 *', 'UTC').row(from, to)).toEqual({
      first: Date.UTC(2020, 1, 29) + 23.5 * HOUR,
      beforeLatest: Date.UTC(2028, 1, 29) + 23.5 * HOUR,
      latest: Date.UTC(2029, 1, 28) + 23.5 * HOUR,
      count: 10,
    });
  });

  it('is nothing where there is none', () => {
    expect(recurrence('0 0 1 1 *', 'UTC').row(Date.UTC(2026, 0, 1), Date.UTC(2026, 11, 31))).toBeUndefined();
    expect(recurrence('@daily', 'UTC').row(DAY, DAY)).toBeUndefined();
  });
});
