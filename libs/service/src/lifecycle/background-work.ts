import { describeError } from '@catena/events';
import type { Readiness } from '../health/readiness.ts';
import type { Log } from '../logging/log.ts';
import { pause } from './pause.ts';

const FIRST_DELAY = 250;
const LONGEST_DELAY = 30_000;

/** Loops that run as long as the service: followers, ticks, reconcilers. One that fails shows in readiness and starts again. */
export class BackgroundWork {
  readonly #log: Log;
  readonly #readiness: Readiness;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(log: Log, readiness: Readiness) {
    this.#log = log;
    this.#readiness = readiness;
  }

  /**
   * Starts a loop. `work` returns when the signal aborts; when it throws it is started again after a delay that
   * doubles from 250 ms to 30 s. `healthy` is to be called whenever it got somewhere.
   */
  start(name: string, work: (signal: AbortSignal, healthy: () => void) => Promise<void>): void {
    const running = this.#keepRunning(name, work).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Tells every loop to end and waits for it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #keepRunning(
    name: string,
    work: (signal: AbortSignal, healthy: () => void) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.#stop;
    let failure: string | undefined;
    let delay = FIRST_DELAY;
    this.#readiness.register(name, () =>
      failure === undefined ? { ok: true } : { ok: false, detail: failure },
    );
    while (!signal.aborted) {
      try {
        await work(signal, () => {
          failure = undefined;
          delay = FIRST_DELAY;
        });
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) {
          this.#log.debug(`${name} ended with an error while stopping`, { work: name, error });
          return;
        }
        failure = describeError(error).message;
        this.#log.error(`${name} failed and is started again`, { work: name, delay, error });
        await pause(delay, signal);
        delay = Math.min(delay * 2, LONGEST_DELAY);
      }
    }
  }
}
