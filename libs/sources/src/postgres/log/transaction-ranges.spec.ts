import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TransactionRanges, type TransactionRange } from './transaction-ranges.ts';

function rangesOf(numbers: readonly number[]): readonly TransactionRange[] {
  const ranges = new TransactionRanges();
  for (const one of numbers) ranges.add(one);
  return ranges.all;
}

describe('the transactions that ended in a log', () => {
  it('are one range when they end nearly in order, and one of long ago is a range of its own', () => {
    expect(rangesOf([700, 702, 701, 704])).toEqual([[700, 704]]);
    expect(rangesOf([90_000, 90_001, 733, 90_002])).toEqual([
      [733, 733],
      [90_000, 90_002],
    ]);
    expect(rangesOf([])).toEqual([]);
  });

  it('are a few ranges in order, apart from each other, and none is left out', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 60 }), (numbers) => {
        const ranges = rangesOf(numbers);
        expect(ranges.length).toBeLessThanOrEqual(8);
        for (const one of numbers)
          expect(ranges.some(([first, last]) => first <= one && one <= last)).toBe(true);
        for (const [index, [first]] of ranges.entries())
          if (index > 0) expect(first).toBeGreaterThan(ranges[index - 1]![1] + 1);
        const ends = new Set(numbers);
        for (const [first, last] of ranges) expect(ends.has(first) && ends.has(last)).toBe(true);
      }),
    );
  });
});
