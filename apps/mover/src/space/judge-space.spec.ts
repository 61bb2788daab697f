import { describe, expect, it } from '@jest/globals';
import { judgeSpace, LEAST_FREE_BYTES } from './judge-space.ts';

const GB = 1_000_000_000;

describe('the space for a backup', () => {
  it.each([
    ['nobody can tell what is free', undefined, 10 * GB, 0, 'enough'],
    ['nothing is known of what it takes', GB, undefined, 0, 'enough'],
    ['there is no room for anything', LEAST_FREE_BYTES - 1, undefined, 0, 'short'],
    ['there is plenty', 13 * GB, 10 * GB, 0, 'enough'],
    ['there is hardly as much as the last one took', 11 * GB, 10 * GB, 0, 'low'],
    ['there is not even half of it', 4 * GB, 10 * GB, 0, 'short'],
    ['an earlier attempt has stored most of it', 4 * GB, 10 * GB, 8 * GB, 'enough'],
    ['an earlier attempt has stored more than that', GB, 10 * GB, 12 * GB, 'enough'],
  ] as const)('when %s', (_, free, bytes, stored, verdict) => {
    expect(judgeSpace(free, bytes === undefined ? undefined : { bytes, as: 'bkp-1' }, stored)).toBe(verdict);
  });
});
