import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DueQueue } from './due-queue.ts';

describe('the queue of what is due', () => {
  it('gives every schedule once, at its newest time, the earliest first', () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.option(fc.integer({ min: 0, max: 100 })));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 100 }), fc.integer({ min: 0, max: 100 }), (changes, now) => {
        const queue = new DueQueue();
        const times = new Map<string, number>();
        for (const [name, due] of changes) {
          queue.set(String(name), due ?? undefined);
          if (due === null) times.delete(String(name));
          else times.set(String(name), due);
        }
        const expected = [...times.values()].filter((due) => due <= now).sort((left, right) => left - right);
        expect(queue.next()).toBe(Math.min(...times.values(), Number.POSITIVE_INFINITY));
        expect(queue.upcoming(now, 1000).map(({ due }) => due)).toEqual(expected);
        expect(queue.upcoming(now, 3).map(({ due }) => due)).toEqual(expected.slice(0, 3));
        const taken = queue.takeDue(now, 1000);
        expect(taken.map((name) => times.get(name))).toEqual(expected);
        expect(new Set(taken).size).toBe(taken.length);
        expect(queue.takeDue(now, 1000)).toEqual([]);
      }),
      { seed: 1 },
    );
  });
});
