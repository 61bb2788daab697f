import { describe, expect, it } from '@jest/globals';
import { moment, placeNamed, positionOf } from './restore-place.ts';

describe('a place that is named on the command line', () => {
  it.each([
    ['0/16B3748', '23803720'],
    ['1/0', '4294967296'],
    ['ffffffff/FFFFFFFF', '18446744073709551615'],
    ['42', '42'],
  ])('the position %s is %s', (text, position) => {
    expect(positionOf(text)).toBe(position);
  });

  it.each(['', '1/', 'x', '-3', '123456789/0', '1/0/0'])('"%s" is no position', (text) => {
    expect(() => positionOf(text)).toThrow('neither a whole number nor a position');
  });

  // Without a fraction it is the whole second, as everywhere on the command line.
  it.each([
    ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.999Z'],
    ['2026-03-01T12:00:00.5+02:00', '2026-03-01T10:00:00.500Z'],
    ['2026-03-01T12:00:00.123456Z', '2026-03-01T12:00:00.123456Z'],
  ])('the time %s is %s', (text, at) => {
    expect(moment(text)).toBe(at);
  });

  it('is one, on a branch if one is named', () => {
    expect(placeNamed({})).toBeUndefined();
    expect(placeNamed({ mark: 'm', branch: '2' })).toEqual({ mark: 'm', fork: '2' });
    expect(placeNamed({ transaction: '733' })).toEqual({ transaction: '733' });
    expect(() => placeNamed({ mark: 'm', position: '1' })).toThrow('one place to stop');
  });
});
