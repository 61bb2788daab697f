import { describe, expect, it } from '@jest/globals';
import type { LimiterClock } from './rate-limiter.ts';
import { RateLimiter } from './rate-limiter.ts';

/** A clock that only sleeping, and what the test does, moves. */
function testClock(): LimiterClock & { at: number } {
  return {
    at: 1000,
    now() {
      return this.at;
    },
    sleep(milliseconds) {
      this.at += milliseconds;
      return Promise.resolve();
    },
  };
}

describe('a rate', () => {
  it.each([1, 4096, 1_000_000, 3_000_000])('is kept within 5 % with pieces of %d bytes', async (piece) => {
    const clock = testClock();
    const rate = new RateLimiter(1_000_000, undefined, clock);
    const begun = clock.at;
    let bytes = 0;
    while (clock.at - begun < 10_000 && bytes < 50_000_000) {
      for (let i = 0; i < 100_000 / piece || i === 0; i++) {
        await rate.take(piece);
        bytes += piece;
      }
    }
    const perSecond = bytes / ((clock.at - begun) / 1000);
    expect(Math.abs(perSecond - 1_000_000)).toBeLessThanOrEqual(50_000);
  });

  it('is not made up for after a pause', async () => {
    const clock = testClock();
    const rate = new RateLimiter(1000, undefined, clock);
    await rate.take(1000);
    clock.at += 60_000;
    const begun = clock.at;
    await rate.take(5000);
    expect(clock.at - begun).toBe(4950);
  });

  it('makes those wait who come together, one after the other', async () => {
    const slept: number[] = [];
    const rate = new RateLimiter(1000, undefined, {
      now: () => 0,
      sleep: (milliseconds) => {
        slept.push(milliseconds);
        return Promise.resolve();
      },
    });
    await Promise.all([rate.take(1050), rate.take(500), rate.take(500)]);
    expect(slept).toEqual([1000, 1500, 2000]);
  });

  it('stops waiting when it is told to', async () => {
    const stop = new AbortController();
    const waiting = new RateLimiter(1, stop.signal).take(1_000_000);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
