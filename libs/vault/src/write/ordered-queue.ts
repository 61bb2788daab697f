/**
 * Runs tasks one after another, in the order they were pushed, while their producer goes on. The first failure stops
 * the queue and is thrown to whoever waits for it.
 */
export class OrderedQueue {
  private tail: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;
  private pushed = 0;
  private ended = 0;
  private readonly waiters: { readonly ended: number; readonly go: () => void }[] = [];

  /** Tasks so far. */
  get tasks(): number {
    return this.pushed;
  }

  /** Tasks that have not ended. */
  get waiting(): number {
    return this.pushed - this.ended;
  }

  push(task: () => Promise<void>): void {
    this.pushed++;
    this.tail = this.tail.then(async () => {
      try {
        if (this.failure === undefined) await task();
      } catch (error) {
        this.failure ??= { error };
      } finally {
        this.ended++;
        for (let next = this.waiters[0]; next !== undefined; next = this.waiters[0]) {
          if (next.ended > this.ended && this.failure === undefined) break;
          this.waiters.shift();
          next.go();
        }
      }
    });
  }

  /** Whether so many tasks, counted from the first, have ended. */
  hasEnded(tasks: number): boolean {
    return this.ended >= tasks || this.failure !== undefined;
  }

  /** Resolves when so many tasks, counted from the first, have ended. */
  async untilEnded(tasks: number): Promise<void> {
    if (!this.hasEnded(tasks))
      await new Promise<void>((go) => {
        const after = this.waiters.findLastIndex(({ ended }) => ended <= tasks);
        this.waiters.splice(after + 1, 0, { ended: tasks, go });
      });
    this.throwIfFailed();
  }

  throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Resolves when everything pushed so far has ended. */
  async drain(): Promise<void> {
    await this.tail;
    this.throwIfFailed();
  }

  /** Resolves when everything pushed so far has ended, well or not. */
  async settled(): Promise<void> {
    await this.tail;
  }
}
