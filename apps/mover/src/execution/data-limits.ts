import type { DataLimits } from '@catena/schedule';
import type { RestoreOptions } from '@catena/sources';
import { RateLimiter, type ReadOptions, type WriteOptions } from '@catena/vault';

/** The limits of a run, as those who do the work want them. */
export class RunLimits {
  readonly #limits: DataLimits;
  readonly #read: RateLimiter | undefined;
  readonly #write: RateLimiter | undefined;

  /** @param signal ends the waiting with its reason */
  constructor(limits: DataLimits, signal: AbortSignal) {
    this.#limits = limits;
    const { read, write } = this.#limits;
    this.#read = read === undefined ? undefined : new RateLimiter(read, signal);
    this.#write = write === undefined ? undefined : new RateLimiter(write, signal);
  }

  /** For a backup. */
  get writing(): Pick<WriteOptions, 'workers' | 'limits'> {
    return {
      ...this.#workers,
      limits: {
        ...(this.#read === undefined ? {} : { read: this.#read }),
        ...(this.#write === undefined ? {} : { write: this.#write }),
      },
    };
  }

  /** For what reads the repository. */
  get reading(): ReadOptions {
    return { ...this.#workers, ...(this.#read === undefined ? {} : { limits: { read: this.#read } }) };
  }

  /** For what writes to the target of a restore. */
  get restoring(): NonNullable<RestoreOptions['limits']> {
    return { ...this.#workers, ...(this.#write === undefined ? {} : { write: this.#write }) };
  }

  get #workers(): { workers?: number } {
    const { cpu } = this.#limits;
    return cpu === undefined ? {} : { workers: cpu };
  }
}
