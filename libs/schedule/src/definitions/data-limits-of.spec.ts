import { describe, expect, it } from '@jest/globals';
import { dataLimitsOf, restoreLimitsOf } from './data-limits-of.ts';

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

describe('limits of a restore', () => {
  const source = { driver: 'files', limits: { read: '20MB', cpu: 2 } };

  it('rule 4.7: are none by default', () => {
    expect(restoreLimitsOf(source, { store: 'fs', limits: { write: '1MB', restores: false } })).toEqual({});
  });

  it('are the lowest of those that say so', () => {
    const repository = { store: 'fs', limits: { read: '30MB', restores: true } };
    expect(restoreLimitsOf(source, repository)).toEqual({ read: 30_000_000 });
  });
});
