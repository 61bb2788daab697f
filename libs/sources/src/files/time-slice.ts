/**
 * Lets synchronous work share the process: timers, signals and sockets get their turn every few milliseconds.
 */
export class TimeSlice {
  readonly #signal: AbortSignal | undefined;
  #began = performance.now();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Whether it is time to give way; then `await` the result of `giveWay`. */
  get isOver(): boolean {
    return performance.now() - this.#began > 10;
  }

  /** Resolves when others had their turn; throws the signal's reason when it was aborted. */
  async giveWay(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#signal?.throwIfAborted();
    this.#began = performance.now();
  }
}
