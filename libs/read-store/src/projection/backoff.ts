import { setTimeout as delay } from 'node:timers/promises';

const FIRST = 50;
const LONGEST = 5_000;

/** Waits longer each time, up to five seconds, until told that it worked. */
export class Backoff {
  #next = FIRST;

  /** Resolves early when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const wait = this.#next;
    this.#next = Math.min(LONGEST, this.#next * 2);
    await pause(wait, signal);
  }

  reset(): void {
    this.#next = FIRST;
  }
}

/** Resolves after the time or when the signal aborts, whichever is first. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  // Being aborted is one of the two ways it is meant to end.
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
