import type { Arrival, Arrivals } from './inflow.ts';
import { WaitingLine } from './waiting-line.ts';

/** Copied data as it came in, in memory that nobody writes to again: whoever takes it may keep it. */
export class KeptPieces implements Arrivals {
  readonly #line = new WaitingLine<Buffer>();
  bytes = 0;

  push(bytes: Buffer): void {
    this.#line.push(bytes);
    this.bytes += bytes.length;
  }

  take(): Arrival | undefined {
    const bytes = this.#line.take();
    if (bytes === undefined) return undefined;
    this.bytes -= bytes.length;
    return { kind: 'data', bytes };
  }
}
