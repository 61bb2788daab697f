import { describe, expect, it } from '@jest/globals';
import { absolutePath, isWithin } from './paths.ts';

const anchors = { folder: '/etc/catena', userHome: '/home/ann', catenaHome: '/data' };

describe('paths of definitions', () => {
  it.each([
    ['/a', '/a'],
    ['/a//b/./c/../d/', '/a/b/d'],
    ['/', '/'],
    ['/../..', '/'],
    ['docs', '/etc/catena/docs'],
    ['./docs', '/etc/catena/docs'],
    ['../docs', '/etc/docs'],
    ['.', '/etc/catena'],
    ['~', '/home/ann'],
    ['~/docs', '/home/ann/docs'],
    ['$CATENA_HOME', '/data'],
    ['$CATENA_HOME/docs', '/data/docs'],
    ['./$HOME', '/etc/catena/$HOME'],
    ['a/~/b', '/etc/catena/a/~/b'],
  ])('%s is %s', (text, expected) => {
    expect(absolutePath(text, anchors)).toBe(expected);
  });

  it.each(['~bob/docs', '$HOME/docs', '${CATENA_HOME}/docs', '$CATENA_HOMES/docs'])(
    '%s is refused',
    (text) => {
      expect(absolutePath(text, anchors)).toMatchObject({ expected: expect.any(String) });
    },
  );

  it.each(['docs', '~/docs', '$CATENA_HOME/docs'])(
    '%s is refused where nobody knows its beginning',
    (text) => {
      expect(absolutePath(text, {})).toMatchObject({ expected: 'an absolute path' });
    },
  );

  it('a folder is within itself and what is above it, not within its neighbours', () => {
    expect(isWithin('/a/b', '/a/b')).toBe(true);
    expect(isWithin('/a/b', '/a')).toBe(true);
    expect(isWithin('/a', '/')).toBe(true);
    expect(isWithin('/ab', '/a')).toBe(false);
    expect(isWithin('/a', '/a/b')).toBe(false);
  });
});
