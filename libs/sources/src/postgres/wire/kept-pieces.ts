import type { Arrival, Arrivals } from './inflow.ts';

/** Copied data as it came in, in memory that nobody writes to again: whoever takes it may keep it. */
export class KeptPieces implements Arrivals {
  #line: Buffer[] = [];
  #begun = 0;
  bytes = 0;

  push(bytes: Buffer): void {
    this.#line.push(bytes);
    this.bytes += bytes.length;
  }

  take(): Arrival | undefined {
    const bytes = this.#line[this.#begun];
    if (bytes === undefined) return undefined;
    this.#begun += 1;
    if (this.#begun === this.#line.length) {
      this.#line = [];
      this.#begun = 0;
    }
    this.bytes -= bytes.length;
    return { kind: 'data', bytes };
  }
}
