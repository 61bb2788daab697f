import { describe, expect, it } from '@jest/globals';
import { OrderedQueue } from './ordered-queue.ts';

const later = () => new Promise<void>((resolve) => setImmediate(resolve));

function told(done: string[], what: string): undefined {
  done.push(what);
}

describe('tasks in their order', () => {
  it('run one after another, those that wait and those that do not', async () => {
    const queue = new OrderedQueue();
    const done: number[] = [];
    for (let i = 0; i < 20_000; i++)
      queue.push(() => {
        if (i % 500 === 0) return later().then(() => void done.push(i));
        done.push(i);
        return undefined;
      });
    await queue.drain();
    expect(done).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
    expect(queue.waiting).toBe(0);
  });

  it('are over at once when nothing is before them and they need not wait', () => {
    const queue = new OrderedQueue();
    let done = false;
    queue.push(() => {
      done = true;
      return undefined;
    });
    expect(done).toBe(true);
    expect(queue.hasEnded(1)).toBe(true);
  });

  it('may push others, which come after those that are there', async () => {
    const queue = new OrderedQueue();
    const done: string[] = [];
    queue.push(() => {
      queue.push(() => told(done, 'inner'));
      return later();
    });
    queue.push(() => told(done, 'outer'));
    await queue.drain();
    expect(done).toEqual(['inner', 'outer']);
  });

  it.each([
    [
      'thrown',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejected', () => Promise.reject(new Error('broken'))],
  ])('stop at the first failure, %s, which everybody who waits is told', async (_, broken) => {
    const queue = new OrderedQueue();
    const after: string[] = [];
    queue.push(later);
    queue.push(broken);
    for (let i = 0; i < 100; i++) queue.push(() => told(after, 'x'));
    await expect(queue.untilEnded(50)).rejects.toThrow('broken');
    await queue.settled();
    await expect(queue.drain()).rejects.toThrow('broken');
    expect(() => queue.throwIfFailed()).toThrow('broken');
    expect(after).toEqual([]);
  });
});
