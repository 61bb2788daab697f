/** What is to be done in its turn; a task that has nothing to wait for returns nothing. */
export type OrderedTask = () => Promise<void> | undefined;

/** Tasks that are over before the rest of the line is moved forward. */
const MOVE_AFTER = 4096;

/**
 * Runs tasks one after another, in the order they were pushed, while their producer goes on. A task that need not wait is
 * over when `push` returns, if its turn has come: of very many tasks, a promise for each would cost more than most of
 * them. The first failure stops the queue and is thrown to whoever waits for it.
 */
export class OrderedQueue {
  private line: (OrderedTask | undefined)[] = [];
  /** Tasks of the line that are over, or under way. */
  private begun = 0;
  private running = false;
  private failure: { readonly error: unknown } | undefined;
  private pushed = 0;
  private ended = 0;
  private readonly waiters: { readonly ended: number; readonly go: () => void }[] = [];
  private idle: PromiseWithResolvers<undefined> | undefined;

  /** Tasks so far. */
  get tasks(): number {
    return this.pushed;
  }

  /** Tasks that have not ended. */
  get waiting(): number {
    return this.pushed - this.ended;
  }

  push(task: OrderedTask): void {
    this.pushed++;
    this.line.push(task);
    if (!this.running) this.run();
  }

  private run(): void {
    this.running = true;
    for (let task = this.next(); task !== undefined; task = this.next()) {
      const doing = this.attempt(task);
      if (doing !== undefined) {
        void doing.then(() => {
          this.end();
          this.run();
        });
        return;
      }
      this.end();
    }
    this.running = false;
    this.idle?.resolve(undefined);
    this.idle = undefined;
  }

  private next(): OrderedTask | undefined {
    const at = this.begun++;
    const task = this.line[at];
    // What is over must not keep alive what it was about.
    if (task !== undefined) this.line[at] = undefined;
    if (task !== undefined && this.begun < MOVE_AFTER) return task;
    this.line = task === undefined ? [] : this.line.slice(this.begun);
    this.begun = 0;
    return task;
  }

  private attempt(task: OrderedTask): Promise<void> | undefined {
    if (this.failure !== undefined) return undefined;
    try {
      return task()?.catch((error: unknown) => {
        this.failure ??= { error };
      });
    } catch (error) {
      this.failure ??= { error };
      return undefined;
    }
  }

  private end(): void {
    this.ended++;
    for (let next = this.waiters[0]; next !== undefined; next = this.waiters[0]) {
      if (next.ended > this.ended && this.failure === undefined) break;
      this.waiters.shift();
      next.go();
    }
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
    await this.settled();
    this.throwIfFailed();
  }

  /** Resolves when everything pushed so far has ended, well or not. */
  async settled(): Promise<void> {
    if (!this.running) return;
    this.idle ??= Promise.withResolvers<undefined>();
    await this.idle.promise;
  }
}
