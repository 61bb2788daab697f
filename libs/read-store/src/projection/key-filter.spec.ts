import { describe, expect, it } from '@jest/globals';
import { KeyFilter } from './key-filter.ts';

describe('the filter of keys', () => {
  const keys = (prefix: string) => Array.from({ length: 20_000 }, (_, i) => `${prefix}${i.toString(36)}`);

  it('never forgets a key', () => {
    const filter = new KeyFilter(20_000);
    for (const key of keys('run:')) filter.add(key);
    expect(keys('run:').every((key) => filter.mayHave(key))).toBe(true);
  });

  it('seldom takes another key for one it knows', () => {
    const filter = new KeyFilter(20_000);
    for (const key of keys('run:')) filter.add(key);
    expect(keys('backup:').filter((key) => filter.mayHave(key)).length).toBeLessThan(600);
  });

  it('knows none when it is new', () => {
    expect(keys('').some((key) => new KeyFilter(1).mayHave(key))).toBe(false);
  });
});
