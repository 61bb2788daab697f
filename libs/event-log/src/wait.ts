/** A longer timer would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Resolves after the time, or as soon as the signal aborts; never rejects. Milliseconds. */
export function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(milliseconds, LONGEST_TIMER));
    signal?.addEventListener('abort', done, { once: true });
  });
}
