import { describe, expect, it } from '@jest/globals';
import { utcInstant } from './utc-instant.ts';

describe('an instant', () => {
  it.each([
    ['2026-01-31T12:00:00.123Z', '2026-01-31T12:00:00.123Z'],
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00.5+02:00', '2026-01-31T10:00:00.500Z'],
    ['2026-01-31T12:00:00.123999999Z', '2026-01-31T12:00:00.123Z'],
  ])('%s is %s', (text, instant) => {
    expect(utcInstant(text)).toBe(instant);
  });

  it.each(['yesterday', '2026-01-31', '2026-01-31T12:00:00', '', '2026-13-31T12:00:00Z'])(
    'is not "%s"',
    (text) => {
      expect(() => utcInstant(text)).toThrow('is not an ISO 8601 instant');
    },
  );
});
