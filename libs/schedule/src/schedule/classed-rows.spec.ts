import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cadenceTimes } from '../cadence/cadence-times.ts';
import { exclusionOf, type Exclusion } from '../calendar/exclusion.ts';
import { isInWindow, type HourWindow } from '../calendar/hour-window.ts';
import { RowBuilder } from '../calendar/instant-row.ts';
import { readScheduleSpec } from '../definitions/read-spec.ts';
import { classedRows } from './classed-rows.ts';

const exclusions: Exclusion[] = [
  '2026-03-29',
  '12-24..01-02',
  { from: '22:00', to: '03:30' },
  { days: 'mon-fri', from: '08:00', to: '18:00' },
];
const windows: HourWindow[] = [
  { from: '01:00', to: '05:15' },
  { days: 'sat,sun', from: '20:00', to: '02:30' },
];

describe('due times by what becomes of them', () => {
  it('are the same as when each is looked at by itself', () => {
    fc.assert(
      fc.property(
        fc.subarray(exclusions),
        fc.option(fc.constantFrom(...windows), { nil: undefined }),
        fc.constantFrom('Europe/Berlin', 'Australia/Lord_Howe', 'America/Santiago', 'UTC'),
        fc.constantFrom('*/20 * * * *', '10 2,3,23 * * *', 'every 50m', '0 * * * 1-5'),
        fc.integer({ min: 0, max: 360 }),
        fc.integer({ min: 0, max: 20 * 24 * 60 }),
        (exclude, window, timeZone, full, day, minutes) => {
          const spec = readScheduleSpec({
            ...{ source: 'a', repository: 'b', timeZone, full, exclude },
            ...(window === undefined ? {} : { window }),
          });
          const times = cadenceTimes(full, spec);
          const after = Date.UTC(2026, 0, 1 + day);
          const upTo = after + minutes * 60_000;
          const rows = {
            runnable: new RowBuilder(),
            excluded: new RowBuilder(),
            outsideWindow: new RowBuilder(),
          };
          let by: string | undefined;
          for (let at = times.next(after); at !== undefined && at <= upTo; at = times.next(at)) {
            const excluded = exclusionOf(exclude, at, timeZone);
            by = excluded ?? by;
            if (excluded !== undefined) rows.excluded.add(at);
            else if (window && !isInWindow(window, at, timeZone)) rows.outsideWindow.add(at);
            else rows.runnable.add(at);
          }
          expect(classedRows(spec, times, after, upTo)).toEqual({
            runnable: rows.runnable.row,
            excluded: rows.excluded.row && { ...rows.excluded.row, by },
            outsideWindow: rows.outsideWindow.row,
          });
        },
      ),
      { seed: 4, numRuns: process.env['CATENA_TEST_LONG'] === '1' ? 2_000 : 50 },
    );
  });
});
