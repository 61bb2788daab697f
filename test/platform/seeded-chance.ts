import { createCipheriv, createHash } from 'node:crypto';

/** Chance that is the same for the same seed: a failure can be had again by naming it. */
export class SeededChance {
  #state: number;

  constructor(seed: string | number) {
    this.#state = createHash('sha256').update(String(seed)).digest().readUInt32LE(0);
  }

  /** From 0 up to 1, without 1. */
  next(): number {
    // mulberry32, by Tommy Ettinger, in the public domain.
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.whole(0, choices.length - 1)];
    if (choice === undefined) throw new RangeError('there is nothing to pick from');
    return choice;
  }

  /** Bytes that do not compress. */
  bytes(length: number): Buffer {
    const key = createHash('sha256')
      .update(String(this.whole(0, 2 ** 31)))
      .digest();
    return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
  }
}

/** Whether suites run at length: more seeds, more moments, more data. */
export const atLength = process.env['CATENA_TEST_LONG'] === '1';
