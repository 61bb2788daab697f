import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; an abort ends the wait early and is not an error. True when the time passed. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
    return true;
  } catch (error) {
    if (signal?.aborted) return false;
    throw error;
  }
}
