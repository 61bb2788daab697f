import { CatenaError } from '@catena/events';

/** The read models have not come to a sequence that an answer must have seen. */
export class BehindError extends CatenaError {
  constructor(wanted: number, position: number, why: string) {
    super(
      'read-store.behind',
      `The catalog has read the log up to ${position}; the answer needs ${wanted}: ${why}.`,
      {
        remedy: 'Ask again, or ask without "atLeast" for an answer that may be behind.',
        retryable: true,
        details: { wanted, position },
      },
    );
  }
}

interface Waiter {
  readonly sequence: number;
  readonly done: () => void;
}

/** Callers that wait until the projection has come to a sequence. */
export class PositionWaiters {
  #position = 0;
  readonly #waiters = new Set<Waiter>();

  get position(): number {
    return this.#position;
  }

  /** Another copy may be behind for a moment; the position says where the live one is. */
  moveTo(position: number): void {
    this.#position = position;
    for (const waiter of this.#waiters) {
      if (waiter.sequence > position) continue;
      this.#waiters.delete(waiter);
      waiter.done();
    }
  }

  /**
   * Resolves when the position is at or past the sequence.
   * @throws BehindError when that takes longer than the time-out.
   */
  async waitFor(sequence: number, timeoutMilliseconds: number, why: () => string): Promise<void> {
    if (this.#position >= sequence) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new BehindError(sequence, this.#position, why()));
      }, timeoutMilliseconds);
      const waiter: Waiter = {
        sequence,
        done: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiters.add(waiter);
    });
  }
}
