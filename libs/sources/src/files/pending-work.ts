/** Work that is under way while more is found, within bounds. The first failure is thrown to whoever adds or waits. */
export class PendingWork {
  readonly #mostTasks: number;
  readonly #mostBytes: number;
  #count = 0;
  #bytes = 0;
  #failure: unknown;
  #failed = false;
  #wake: (() => void) | undefined;

  constructor(bounds: { tasks: number; bytes: number }) {
    this.#mostTasks = bounds.tasks;
    this.#mostBytes = bounds.bytes;
  }

  /** Resolves when there is room for one more; throws what an earlier one failed with. */
  async room(): Promise<void> {
    while (!this.#failed && (this.#count >= this.#mostTasks || this.#bytes >= this.#mostBytes))
      await this.#change();
    this.#throwFailure();
  }

  /** Whether `room` would resolve at once. */
  get hasRoom(): boolean {
    return !this.#failed && this.#count < this.#mostTasks && this.#bytes < this.#mostBytes;
  }

  /** Keeps track of work that holds so many bytes in memory; `over` is called when it does not any more. */
  track(work: Promise<unknown>, bytes = 0, over?: () => void): void {
    this.#count += 1;
    this.#bytes += bytes;
    const ended = (): void => {
      this.#count -= 1;
      this.#bytes -= bytes;
      over?.();
      this.#wake?.();
    };
    void work.then(ended, (error: unknown) => {
      this.#failure ??= error;
      this.#failed = true;
      ended();
    });
  }

  /** Resolves when none is under way; throws what one failed with. */
  async settle(): Promise<void> {
    while (this.#count > 0) await this.#change();
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failed) throw this.#failure;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
