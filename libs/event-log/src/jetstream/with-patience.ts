import { LogUnavailableError } from '../port/errors.ts';
import { wait } from '../wait.ts';
import { asCatenaError, isTransient } from './nats-errors.ts';
import type { NatsLink } from './nats-link.ts';
import { whileConnected } from './while-connected.ts';

/** How long an operation outlasts a server that is away before it fails, in milliseconds. */
export const DEFAULT_PATIENCE = 30_000;

const FIRST_DELAY = 50;
const LONGEST_DELAY = 1_000;

/**
 * Repeats something harmless to repeat while the server is away, restarting or busy. What else goes wrong is thrown
 * at once.
 * @throws LogUnavailableError (retryable) when the patience runs out.
 */
export async function withPatience<T>(
  link: NatsLink,
  doing: string,
  work: () => Promise<T>,
  options: { patienceMilliseconds?: number; signal?: AbortSignal } = {},
): Promise<T> {
  const deadline = performance.now() + (options.patienceMilliseconds ?? DEFAULT_PATIENCE);
  for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 2, LONGEST_DELAY)) {
    try {
      return await whileConnected(link, work);
    } catch (thrown) {
      if (options.signal?.aborted) throw thrown;
      if (!isTransient(thrown)) throw asCatenaError(thrown, doing);
      if (performance.now() + delay > deadline) throw new LogUnavailableError(doing, thrown);
    }
    await wait(delay, options.signal);
    await reconnected(link, deadline, options.signal);
  }
}

/** Waits for the connection, if it is lost, until the deadline. */
async function reconnected(link: NatsLink, deadline: number, signal: AbortSignal | undefined): Promise<void> {
  const back = link.settling();
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  await Promise.race([back.happened, wait(Math.max(0, deadline - performance.now()), either)]);
  back.forget();
  stop.abort();
}
