import { describe, expect, it } from '@jest/globals';
import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { cronCalendar, DAY, HOUR, MINUTE, SECOND } from './cron-calendar.ts';
import { CronNotUnderstoodError } from './cron-not-understood-error.ts';

const field = (...texts: string[]) => fc.constantFrom(...texts);
const anyCron = fc
  .tuple(
    field('*', '0', '30', '*/15', '5,35', '59', '0-10/5', '50/3'),
    field('*', '0', '2', '23', '*/6', '1-3', '0-23'),
    field('*', '1', '29', '31', '*/2', '1-7', '28-31'),
    field('*', '2', 'jan', '4,6', '*/3', 'feb-mar'),
    field('*', '0', '7', 'mon-fri', '5-7', '*/2', '1,7'),
  )
  .map((fields) => fields.join(' '))
  .filter((text) => !/ 31 (2|4,6) /.test(text));

describe('the calendar of a cron text', () => {
  it('agrees with the outside parser asked in UTC', () => {
    fc.assert(
      fc.property(anyCron, fc.integer({ min: 0, max: 70 * 366 * 1440 }), (text, minute) => {
        const start = minute * MINUTE;
        const oracle = CronExpressionParser.parse(text, { tz: 'UTC', currentDate: new Date(start) });
        const calendar = cronCalendar(text);
        let at = start;
        for (let turn = 0; turn < 5; turn++) {
          const next = calendar.next(at);
          expect([text, next]).toEqual([text, oracle.next().getTime()]);
          at = next!;
        }
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  it('agrees with it on seconds, last days and days of the n-th week', () => {
    const special = fc
      .tuple(
        field('0', '*/20', '15,45', '*'),
        field('*', '0', '*/30'),
        field('*', '0', '*/12'),
        field('*', 'L', '1,L', '15'),
        field('*', '2', '1-6'),
        field('*', '5L', '2#3', '0L', '1#5', '7#1'),
      )
      // The outside parser knows `L` in both days, but then asks for both at once.
      .filter(([, , , day, , weekday]) => day === '*' || weekday === '*')
      .map((fields) => fields.join(' '));
    fc.assert(
      fc.property(special, fc.integer({ min: 0, max: 70 * 366 * 1440 }), (text, minute) => {
        const start = minute * MINUTE;
        const oracle = CronExpressionParser.parse(text, { tz: 'UTC', currentDate: new Date(start) });
        let at = start;
        for (let turn = 0; turn < 5; turn++) {
          const next = cronCalendar(text).next(at);
          expect([text, next]).toEqual([text, oracle.next().getTime()]);
          at = next!;
        }
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  it('is strictly after, also between two minutes', () => {
    const daily = cronCalendar('0 0 * * *');
    expect(daily.next(0)).toBe(DAY);
    expect(daily.next(-1)).toBe(0);
    expect(daily.next(1)).toBe(DAY);
  });

  it('ends before the year 10000', () => {
    expect(cronCalendar('@yearly').next(Date.UTC(9999, 5, 1))).toBeUndefined();
  });

  const gaps: [string, number][] = [
    ['* * * * * *', SECOND],
    ['*/40 * * * * *', 40 * SECOND],
    ['* * * * *', MINUTE],
    ['0 0 L * *', 31 * DAY],
    ['0 0 * * fri#1', 35 * DAY],
    ['*/7 * * * *', 7 * MINUTE],
    ['@hourly', HOUR],
    ['@daily', DAY],
    ['0 8,20 * * *', 12 * HOUR],
    ['0 8-18 * * *', 14 * HOUR],
    ['0 3 * * mon-fri', 3 * DAY],
    ['@weekly', 7 * DAY],
    ['@monthly', 31 * DAY],
    ['0 0 31 * *', 61 * DAY],
    ['@yearly', 366 * DAY],
    ['0 0 29 2 *', 1461 * DAY],
  ];
  it.each(gaps)('rule 3.1: the period of "%s" is its largest gap', (text, gap) => {
    expect(cronCalendar(text).longestGap).toBe(gap);
  });

  it('refuses what is not one, with everything that is wrong', () => {
    expect(() => cronCalendar('*/61 * * * 9')).toThrow(CronNotUnderstoodError);
    expect(() => cronCalendar('*/61 * * * 9')).toThrow(/character 3.*character 12/);
  });
});
