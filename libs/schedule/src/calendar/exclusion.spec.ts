import { describe, expect, it } from '@jest/globals';
import { durationOf, durationText } from './duration.ts';
import { areDates, exclusionOf, type Exclusion } from './exclusion.ts';
import { isInWindow, nextClosing, nextOpening } from './hour-window.ts';
import { isoInstant } from './recurrence.ts';

const zone = 'Europe/Berlin';

describe('dates and hours that are excluded', () => {
  const rows: [string, Exclusion, string, boolean][] = [
    ['a date, in the zone', '2025-12-25', '2025-12-24T23:30:00Z', true],
    ['the end of a date, in the zone', '2025-12-25', '2025-12-25T23:30:00Z', false],
    ['a range of dates', '2025-12-24..2026-01-02', '2026-01-02T12:00:00Z', true],
    ['a date of every year', '12-25', '2031-12-25T12:00:00Z', true],
    ['a range over the end of every year', '12-24..01-02', '2031-01-01T12:00:00Z', true],
    ['a range over the end of every year, outside', '12-24..01-02', '2031-01-03T12:00:00Z', false],
    ['hours', { from: '08:00', to: '18:00' }, '2025-07-01T06:00:00Z', true],
    ['the end of hours', { from: '08:00', to: '18:00' }, '2025-07-01T16:00:00Z', false],
    ['hours over midnight', { from: '22:00', to: '04:00' }, '2025-07-01T01:00:00Z', true],
    [
      'hours over midnight belong to the day they begin on',
      { days: 'fri', from: '22:00', to: '04:00' },
      '2025-07-05T01:00:00Z',
      true,
    ],
    [
      'hours over midnight of another day',
      { days: 'fri', from: '22:00', to: '04:00' },
      '2025-07-04T01:00:00Z',
      false,
    ],
    ['whole days of the week', { days: 'sat,sun', from: '00:00', to: '00:00' }, '2025-07-05T12:00:00Z', true],
  ];
  it.each(rows)('issue 6.1: exclude %s', (_, exclusion, at, excluded) => {
    expect(exclusionOf([exclusion], Date.parse(at), zone) !== undefined).toBe(excluded);
  });

  it.each(['2025-02-30', '2025-13-01', '2026-01-02..2025-12-24', '12-24..2025-12-25', 'christmas', ''])(
    'issue 6.1: "%s" is no date',
    (text) => {
      expect(areDates(text)).toBe(false);
    },
  );

  it('hours open and close on the wall clock', () => {
    const window = { days: 'mon-fri', from: '22:00', to: '04:00' };
    const saturday = Date.parse('2025-03-29T12:00:00Z');
    expect(isInWindow(window, saturday, zone)).toBe(false);
    expect(isoInstant(nextOpening(window, saturday, zone)!)).toBe('2025-03-31T20:00:00.000Z');
    expect(isoInstant(nextClosing(window, saturday, zone)!)).toBe('2025-03-30T02:00:00.000Z');
  });
});

describe('a duration', () => {
  it.each([
    ['90s', 90_000],
    ['1d12h', 129_600_000],
    ['1w', 604_800_000],
    ['1h30m5s', 5_405_000],
  ])('issue 6.1: %s is %i milliseconds, there and back', (text, milliseconds) => {
    expect(durationOf(text)).toBe(milliseconds);
    expect(durationOf(durationText(milliseconds))).toBe(milliseconds);
  });

  it.each(['', '0s', '6', 'h', '6h 5m', '1y', '-1h'])('issue 6.1: "%s" is none', (text) => {
    expect(durationOf(text)).toBeUndefined();
  });
});
