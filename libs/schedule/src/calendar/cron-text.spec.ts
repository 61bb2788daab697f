import { describe, expect, it } from '@jest/globals';
import { cronProblems } from './cron-text.ts';

const good = [
  '0 2 * * *',
  '*/15 * * * *',
  '0 0 29 2 *',
  '0 0 31 1,2 *',
  '0 0 * jan-mar mon-fri',
  '0 0 * * 5-7',
  '0 */24 * * *',
  '*/60 * * * *',
  '5/20 * * * *',
  '0,30 8-18/2 * * 1',
  '  0 2 * * *  ',
  '30 0 2 * * *',
  '*/10 * * * * *',
  '0 0 L * *',
  '0 0 1,L * *',
  '0 0 * * 5L',
  '0 0 * * friL,mon#1',
  '0 0 30,L 2 *',
  '0 0 * 2 mon#5',
  '@hourly',
  '@daily',
  '@midnight',
  '@weekly',
  '@monthly',
  '@yearly',
  '@annually',
];

/** text, offset of the problem, what the message must mention */
const bad: [string, number, RegExp][] = [
  ['', 0, /empty text/],
  ['   ', 0, /empty text/],
  ['0 2 * *', 7, /4 fields.*five fields/],
  ['0', 1, /1 field.*five fields/],
  ['0 0 0 2 * * *', 12, /7 fields.*six with seconds/],
  ['60 0 0 2 * *', 0, /"60" for the second.*0-59/],
  ['0 0 0 30 2 *', 6, /up to 29/],
  ['*/61 * * * *', 2, /step from 1 to 60/],
  ['*/0 * * * *', 2, /step from 1 to 60/],
  ['*/x * * * *', 2, /step/],
  ['0 */25 * * *', 4, /step from 1 to 24/],
  ['0 8-10/4 * * *', 7, /step from 1 to 3/],
  ['50/11 * * * *', 3, /step from 1 to 10/],
  ['60 * * * *', 0, /"60" for the minute.*0-59/],
  ['0 24 * * *', 2, /hour 0-23/],
  ['0 0 0 * *', 4, /day of month 1-31/],
  ['0 0 * 13 *', 6, /month 1-12/],
  ['0 0 * * 8', 8, /day of week 0-7/],
  ['0 0 * * mno', 8, /Did you mean "mon"/],
  ['0 0 * * fri-mon', 8, /"fri-sat,sun-mon"/],
  ['0 5-3 * * *', 2, /"5-23,0-3"/],
  ['0 0 30 2 *', 4, /day 30 in month "2".*up to 29.*never/],
  ['0 0 31 4,6,9,11 *', 4, /up to 30/],
  ['0 0 30 feb mon', 4, /up to 29/],
  ['1,,2 * * * *', 2, /surplus comma/],
  ['0 0 ? * 1', 4, /Write "\*"/],
  ['L 0 * * *', 0, /minute 0-59/],
  ['0 0 * * L', 8, /"5L" as the day of week/],
  ['0 0 5L * *', 4, /"L" as the day of month/],
  ['0 0 1#2 * *', 4, /belongs to the day of week/],
  ['0 0 * * mon#6', 8, /from 1 to 5/],
  ['0 0 * * 9L', 8, /day of week/],
  ['1-2-3 * * * *', 0, /minute/],
  ['1/2/3 * * * *', 0, /one step/],
  ['@dayly', 0, /Did you mean "@daily"/],
  ['@reboot', 0, /@hourly/],
  ['daily', 5, /five fields/],
];

describe('a cron text', () => {
  it.each(good)('rule 3.3: "%s" is accepted', (text) => {
    expect(cronProblems(text)).toEqual([]);
  });

  it.each(bad)('issue 6.1: "%s" is refused at character %i', (text, offset, mention) => {
    const [problem] = cronProblems(text);
    expect(problem?.offset).toBe(offset);
    expect(`${problem?.found} / ${problem?.expected} / ${problem?.remedy}`).toMatch(mention);
  });

  it('names everything that is wrong at once', () => {
    expect(cronProblems('61 25 32 13 9').map(({ offset }) => offset)).toEqual([0, 3, 6, 9, 12]);
  });
});
