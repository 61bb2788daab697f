import type { JobQueue, TakenJob } from '../port/job-queue.ts';
import { wait } from '../wait.ts';

interface Job {
  readonly kind: string;
  readonly run: string;
  /** Nobody may take it before; milliseconds of the monotonic clock. */
  notBefore: number;
  /** Counts the times it was taken, so that a late word of an earlier taker is not heard. */
  taken: number;
}

/** How long a key is remembered, in milliseconds. */
const DUPLICATE_WINDOW = 120_000;

/** How often a waiting taker looks again, in milliseconds. */
const LOOK_AGAIN = 5;

/** The job queue without a server. */
export class MemoryJobQueue implements JobQueue {
  readonly #jobs = new Set<Job>();
  readonly #keys = new Map<string, number>();
  readonly #ackWait: number;

  constructor(options: { ackWaitMilliseconds?: number } = {}) {
    this.#ackWait = options.ackWaitMilliseconds ?? 30_000;
  }

  async put(job: { kind: string; run: string; key: string }): Promise<void> {
    const now = performance.now();
    for (const [key, at] of this.#keys) if (at + DUPLICATE_WINDOW <= now) this.#keys.delete(key);
    if (this.#keys.has(job.key)) return;
    this.#keys.set(job.key, now);
    this.#jobs.add({ kind: job.kind, run: job.run, notBefore: 0, taken: 0 });
  }

  async take(options: {
    kinds: readonly string[];
    waitMilliseconds: number;
    signal: AbortSignal;
  }): Promise<TakenJob | undefined> {
    const deadline = performance.now() + options.waitMilliseconds;
    while (!options.signal.aborted) {
      const job = [...this.#jobs].find(
        ({ kind, notBefore }) => options.kinds.includes(kind) && notBefore <= performance.now(),
      );
      if (job) return this.#handOver(job);
      if (performance.now() >= deadline) return undefined;
      await wait(LOOK_AGAIN, options.signal);
    }
    return undefined;
  }

  async pending(): Promise<ReadonlySet<string>> {
    return new Set([...this.#jobs].map(({ run }) => run));
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #handOver(job: Job): TakenJob {
    const taken = (job.taken += 1);
    const hold = () => (job.notBefore = performance.now() + this.#ackWait);
    hold();
    const ifStillOurs = (act: () => void) => {
      if (job.taken === taken) act();
    };
    return {
      run: job.run,
      kind: job.kind,
      working: () => ifStillOurs(hold),
      acknowledge: async () => ifStillOurs(() => this.#jobs.delete(job)),
      giveBack: async (delay) => ifStillOurs(() => (job.notBefore = performance.now() + delay)),
    };
  }
}
