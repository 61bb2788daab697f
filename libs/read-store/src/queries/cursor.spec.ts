import { describe, expect, it } from '@jest/globals';
import { decodeCursor, encodeCursor } from './cursor.ts';

describe('a cursor', () => {
  it('comes back as it went', () => {
    const cursor = { sequence: 7, keys: ['2026-01-01T00:00:00.000Z', 'bkp-ä"', 3] };
    expect(decodeCursor('backups', encodeCursor('backups', cursor))).toEqual(cursor);
  });

  it('is refused by another list', () => {
    const cursor = encodeCursor('runs', { sequence: 7, keys: [1] });
    expect(() => decodeCursor('backups', cursor)).toThrow('is not where a page of backups ended');
  });

  it.each([
    '',
    'e30',
    '!',
    Buffer.from('["runs",1.5,2]').toString('base64url'),
    Buffer.from('["runs",1]').toString('base64url'),
  ])('is not %p', (text) => {
    expect(() => decodeCursor('runs', text)).toThrow('is not where a page of runs ended');
  });
});
