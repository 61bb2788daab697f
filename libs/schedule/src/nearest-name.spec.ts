import { describe, expect, it } from '@jest/globals';
import { nearestName } from './nearest-name.ts';

const names = ['include', 'exclude', 'path', 'oneFileSystem'];

describe('the nearest name', () => {
  it.each([
    ['exlude', 'exclude'],
    ['inculde', 'include'],
    ['Path', 'path'],
    ['onefilesystem', 'oneFileSystem'],
    ['paht', 'path'],
  ])('of "%s" is "%s"', (given, expected) => {
    expect(nearestName(given, names)).toBe(expected);
  });

  it.each(['', 'x', 'timeZone', 'pthaa'])('of "%s" there is none', (given) => {
    expect(nearestName(given, names)).toBeUndefined();
  });
});
