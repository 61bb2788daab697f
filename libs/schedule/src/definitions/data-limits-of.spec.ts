import { describe, expect, it } from '@jest/globals';
import { dataLimitsOf } from './data-limits-of.ts';

describe('limits of a backup', () => {
  it('are the lowest of what source and repository say', () => {
    const source = { driver: 'files', limits: { read: '20MB', cpu: 2 } };
    const repository = { store: 'fs', limits: { read: 30_000_000, write: '16MiB', cpu: 1 } };
    expect(dataLimitsOf(source, repository)).toEqual({ read: 20_000_000, write: 16 * 1024 ** 2, cpu: 1 });
  });

  it('are none where nobody says anything', () => {
    expect(dataLimitsOf({ driver: 'files' }, {})).toEqual({});
  });
});
