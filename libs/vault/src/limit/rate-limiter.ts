import { setTimeout as wait } from 'node:timers/promises';

/** Bytes that may pass per second; whoever has too many waits. */
export interface ByteRate {
  /** Resolves when so many bytes may have passed. */
  take(bytes: number): Promise<void>;
}

/** A clock that does not go back. */
export interface LimiterClock {
  /** Milliseconds. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

/** What a pause may be made up for with: longer than a timer is late, short enough that a second has its bytes. */
const BURST_MILLISECONDS = 50;

function wallClock(signal: AbortSignal | undefined): LimiterClock {
  return {
    now: () => performance.now(),
    sleep: async (milliseconds) => {
      await wait(milliseconds, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      });
    },
  };
}

/** Lets bytes pass at a steady rate, first come, first served. */
export class RateLimiter implements ByteRate {
  private readonly perMillisecond: number;
  private readonly clock: LimiterClock;
  /** When all that was taken will have passed. */
  private passed = Number.NEGATIVE_INFINITY;

  /** @param signal ends the waiting with its reason */
  constructor(bytesPerSecond: number, signal?: AbortSignal, clock: LimiterClock = wallClock(signal)) {
    if (!(bytesPerSecond > 0)) throw new RangeError('a rate must let something pass');
    this.perMillisecond = bytesPerSecond / 1000;
    this.clock = clock;
  }

  async take(bytes: number): Promise<void> {
    const now = this.clock.now();
    this.passed = Math.max(this.passed, now - BURST_MILLISECONDS) + bytes / this.perMillisecond;
    if (this.passed > now) await this.clock.sleep(this.passed - now);
  }
}
