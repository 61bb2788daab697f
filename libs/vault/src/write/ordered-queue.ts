/**
 * Runs tasks one after another, in the order they were pushed, while their producer goes on. The first failure stops
 * the queue and is thrown to whoever waits for it.
 */
export class OrderedQueue {
  private tail: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown } | undefined;
  /** Tasks that have not ended. */
  waiting = 0;

  push(task: () => Promise<void>): void {
    this.waiting++;
    this.tail = this.tail.then(async () => {
      try {
        if (this.failure === undefined) await task();
      } catch (error) {
        this.failure ??= { error };
      } finally {
        this.waiting--;
      }
    });
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
