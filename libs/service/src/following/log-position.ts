import { CatenaError } from '@catena/events';

const PATIENCE_MILLISECONDS = 10_000;

interface Waiter {
  readonly sequence: number;
  readonly arrived: () => void;
}

/** How far a process has followed the log, for those who must have seen a sequence. */
export class LogPosition {
  readonly #waiting = new Set<Waiter>();
  readonly #who: string;
  #through = 0;

  /** @param who is behind, as an error names it. */
  constructor(who: string) {
    this.#who = who;
  }

  /** Everything up to here was seen. */
  get through(): number {
    return this.#through;
  }

  advance(through: number): void {
    this.#through = through;
    for (const { sequence, arrived } of this.#waiting) if (sequence <= through) arrived();
  }

  /**
   * Resolves when everything up to the sequence was seen.
   * @throws CatenaError `service.behind` (retryable) when that takes longer than ten seconds.
   */
  async reached(sequence: number): Promise<void> {
    if (this.#through >= sequence) return;
    let waiter: Waiter | undefined;
    let limit: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiter = { sequence, arrived: resolve };
        this.#waiting.add(waiter);
        limit = setTimeout(() => reject(this.#late(sequence)), PATIENCE_MILLISECONDS);
      });
    } finally {
      clearTimeout(limit);
      if (waiter !== undefined) this.#waiting.delete(waiter);
    }
  }

  #late(sequence: number): CatenaError {
    return new CatenaError(
      'service.behind',
      `The ${this.#who} has read the log up to ${this.#through} and not up to ${sequence} yet.`,
      { remedy: 'Ask again in a moment.', retryable: true },
    );
  }
}
