const LOOK_MILLISECONDS = 100;
/** What the process may grow by before it is worth while to give back what is free of it. */
const GROWTH_BYTES = 8 * 1024 * 1024;
/** How long nothing must have been done before garbage is collected: whoever waits for a run should not wait for that. */
const IDLE_MILLISECONDS = 250;

export interface ProcessMemory {
  /** Bytes that the process has of the machine's memory. */
  size(): number;
  returnFree(): void;
  /** Frees what nobody refers to any more. */
  collect(): void;
}

/**
 * Keeps the process small while it works. Moving data takes and frees large pieces of memory on several threads, and the
 * C library keeps what is free between those in use: a third of the process, after a while.
 */
export class MemoryKeeper {
  readonly #memory: ProcessMemory;
  #working = 0;
  #idle: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Size when free memory was last given back. */
  #least = Number.POSITIVE_INFINITY;

  constructor(memory: ProcessMemory) {
    this.#memory = memory;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#working += 1;
    clearTimeout(this.#idle);
    this.#timer ??= setInterval(() => this.look(), LOOK_MILLISECONDS).unref();
    try {
      return await work();
    } finally {
      this.#working -= 1;
      if (this.#working === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
        this.#giveBack();
        this.#idle = setTimeout(() => this.#rest(), IDLE_MILLISECONDS).unref();
      }
    }
  }

  /** The next work begins with a process as small as can be: unlocking a repository takes 64 MiB at once. */
  #rest(): void {
    this.#memory.collect();
    this.#giveBack();
  }

  /** To be called now and then. */
  look(): void {
    const size = this.#memory.size();
    if (size > this.#least + GROWTH_BYTES) this.#giveBack();
    else this.#least = Math.min(this.#least, size);
  }

  #giveBack(): void {
    this.#memory.returnFree();
    this.#least = this.#memory.size();
  }
}
