import { LogGapError } from '../port/errors.ts';

/** Every sequence must be there: nothing is ever removed from the log. */
export class GapCheck {
  #next: number;

  constructor(from: number) {
    this.#next = from;
  }

  /** @throws LogGapError; the sequence counts as seen all the same, so a caller may go on. */
  accept(sequence: number): void {
    const expected = this.#next;
    this.#next = sequence + 1;
    if (sequence !== expected) throw new LogGapError(expected, sequence);
  }
}
