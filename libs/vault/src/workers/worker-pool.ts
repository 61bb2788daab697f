import { availableParallelism } from 'node:os';
import type { Transferable } from 'node:worker_threads';
import { CatenaError } from '@catena/events';
import type { TaskHandlers, TaskInput, TaskOutput, TaskRunner } from './task.ts';
import type { SpareThreads } from './spare-threads.ts';
import type { ThreadOptions } from './worker-thread.ts';
import { WorkerThread } from './worker-thread.ts';

export interface PoolOptions<T extends TaskHandlers> extends ThreadOptions {
  /** Threads at most; default one for each core. They are started when there is work for them. */
  readonly workers?: number;
  /** Tasks that may wait before `run` waits for room; default four for each thread. */
  readonly maxWaiting?: number;
  /** Where threads of the same program come from and go to. */
  readonly spare?: SpareThreads<T>;
}

/** Tasks a thread is given at once, so that it has the next one when it is done with one. */
const AHEAD = 2;

/** Threads to use when nobody says how many. */
export function defaultWorkers(): number {
  return availableParallelism();
}

interface Waiting {
  readonly start: (thread: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Threads that share one queue of tasks. What belongs together in one thread's state names the thread with `on`.
 * Closing ends the threads at once.
 */
export class WorkerPool<T extends TaskHandlers> implements TaskRunner<T> {
  readonly size: number;
  private readonly options: PoolOptions<T>;
  private readonly maxWaiting: number;
  private readonly threads: (WorkerThread<T> | undefined)[];
  private readonly waiting: Waiting[] = [];
  private roomWanted: (() => void)[] = [];
  private closed: { readonly reason: Error } | undefined;

  constructor(options: PoolOptions<T>) {
    this.options = options;
    this.size = Math.max(1, Math.floor(options.workers ?? defaultWorkers()));
    this.maxWaiting = options.maxWaiting ?? this.size * 4;
    this.threads = Array.from({ length: this.size }, () => undefined);
  }

  /** Threads that have been started. */
  get started(): number {
    return this.threads.filter((thread) => thread !== undefined).length;
  }

  /** Tasks handed to a thread that have not ended. */
  outstanding(thread: number): number {
    return this.threads[thread]?.outstanding ?? 0;
  }

  /** One of the threads, for tasks that need what earlier ones have left there. Tasks run in the order of calling. */
  on(thread: number): TaskRunner<T> {
    const own = this.thread(thread);
    return {
      run: (name, input, transfer) => {
        const done = own.run(name, input, transfer);
        // It may be free for what waits for any of them.
        const ended = () => this.next();
        done.then(ended, ended);
        return done;
      },
    };
  }

  private thread(number: number): WorkerThread<T> {
    if (this.closed !== undefined) throw this.closed.reason;
    if (number >= this.size) throw new RangeError(`the pool has ${this.size} threads`);
    return (this.threads[number] ??= this.options.spare?.take() ?? new WorkerThread(this.options));
  }

  /** Resolves when a task given to `run` would not wait behind too many others. */
  async room(): Promise<void> {
    while (this.closed === undefined && this.waiting.length >= this.maxWaiting)
      await new Promise<void>((resolve) => this.roomWanted.push(resolve));
    if (this.closed !== undefined) throw this.closed.reason;
  }

  /** Runs a task on whichever thread is free first. `transfer` changes owner when the task starts. */
  run<K extends keyof T & string>(
    name: K,
    input: TaskInput<T, K>,
    transfer: readonly Transferable[] = [],
  ): Promise<TaskOutput<T, K>> {
    const { promise, resolve, reject } = Promise.withResolvers<TaskOutput<T, K>>();
    const start = (number: number) => {
      try {
        const task = this.thread(number).run(name, input, transfer);
        task.then(resolve, reject).finally(() => this.next());
      } catch (error) {
        reject(error);
        this.next();
      }
    };
    if (this.closed !== undefined) reject(this.closed.reason);
    else this.waiting.push({ start, reject });
    this.next();
    return promise;
  }

  private freest(): number | undefined {
    let best: number | undefined;
    for (let number = 0; number < this.size; number++) {
      const load = this.outstanding(number);
      if (load < AHEAD && (best === undefined || load < this.outstanding(best))) best = number;
    }
    return best;
  }

  private next(): void {
    for (let free = this.freest(); free !== undefined; free = this.freest()) {
      const task = this.waiting.shift();
      if (task === undefined) break;
      task.start(free);
    }
    if (this.waiting.length >= this.maxWaiting) return;
    const wanted = this.roomWanted;
    this.roomWanted = [];
    for (const go of wanted) go();
  }

  /** Ends the pool when its work is done: what it leaves in the state of its threads must have been taken away. */
  async retire(): Promise<void> {
    const { spare } = this.options;
    const reason = closedError();
    this.closed ??= { reason };
    // They are not this pool's any more: to close it later must not end what another one has taken.
    const started = this.threads.filter((thread) => thread !== undefined);
    this.threads.fill(undefined);
    const unwanted = started.filter((thread) => spare?.give(thread) !== true);
    await Promise.all(unwanted.map((thread) => thread.close(reason)));
  }

  /** Ends all threads. Tasks that have not ended reject with the reason. */
  async close(reason: Error = closedError()): Promise<void> {
    this.closed ??= { reason };
    for (const task of this.waiting.splice(0)) task.reject(this.closed.reason);
    this.next();
    await Promise.all(this.threads.map(async (thread) => thread?.close(reason)));
  }
}

function closedError(): CatenaError {
  return new CatenaError('vault.workers-closed', 'the worker threads were closed');
}
