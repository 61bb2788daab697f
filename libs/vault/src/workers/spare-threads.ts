import type { TaskHandlers } from './task.ts';
import type { WorkerThread } from './worker-thread.ts';

export interface SpareOptions {
  /** Threads that are kept at most. */
  readonly most: number;
  /** How long a thread that nobody needs is kept. */
  readonly idleMilliseconds: number;
  /** Called when none is kept any more. */
  readonly onClose?: () => void;
}

/**
 * Threads of one program that have done their work, for whoever needs some next: a thread that has run is worth half a
 * CPU second of loading and compiling. They do not keep the process alive.
 */
export class SpareThreads<T extends TaskHandlers> {
  private readonly options: SpareOptions;
  private threads: WorkerThread<T>[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(options: SpareOptions) {
    this.options = options;
  }

  /** Threads that are kept now. */
  get kept(): number {
    return this.threads.length;
  }

  take(): WorkerThread<T> | undefined {
    for (let thread = this.threads.pop(); thread !== undefined; thread = this.threads.pop())
      if (thread.isIdle) return thread;
    return undefined;
  }

  /** Keeps a thread that has nothing to do and holds nothing of what it did. @returns whether it is kept */
  give(thread: WorkerThread<T>): boolean {
    if (!thread.isIdle || this.threads.length >= this.options.most) return false;
    this.threads.push(thread);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.close(), this.options.idleMilliseconds).unref();
    return true;
  }

  /** Ends those that are kept now. */
  async close(): Promise<void> {
    const threads = this.threads;
    this.threads = [];
    clearTimeout(this.timer);
    this.options.onClose?.();
    await Promise.all(threads.map((thread) => thread.close(new Error('the thread was not needed'))));
  }
}
