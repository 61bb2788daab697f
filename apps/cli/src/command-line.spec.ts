import { describe, expect, it } from '@jest/globals';
import { instant, wholeNumber } from './command-line.ts';

describe('a time on the command line', () => {
  it.each([
    ['2026-03-01T18:00:00Z', '2026-03-01T18:00:00.999Z'],
    ['2026-03-01 18:00:00Z', '2026-03-01T18:00:00.999Z'],
    ['2026-03-01 18:00:00.250Z', '2026-03-01T18:00:00.250Z'],
    ['2026-03-01T18:00:00.25+01:00', '2026-03-01T17:00:00.250Z'],
    ['2026-03-01 18:00 -05:00', '2026-03-01T23:00:00.999Z'],
    [' 2026-03-01t18:00z ', '2026-03-01T18:00:00.999Z'],
  ])('%s', (text, read) => {
    expect(instant(text)).toBe(read);
  });

  it.each([
    'yesterday',
    '2026-03-01',
    '2026-03-01T18:00:00',
    '2026-02-31T18:00:00Z',
    '2026-03-01T25:00Z',
    '',
  ])('is not "%s"', (text) => {
    expect(() => instant(text)).toThrow('Expected a time with its zone');
  });
});

it('a number is whole and within its bounds', () => {
  expect(wholeNumber(1, 10)('7')).toBe(7);
  for (const text of ['0', '11', '1.5', 'seven', ''])
    expect(() => wholeNumber(1, 10)(text)).toThrow('from 1 to 10');
});
