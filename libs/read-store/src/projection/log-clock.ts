import { utcInstant } from './utc-instant.ts';
import { CopyLines } from './copy-lines.ts';
import { copyStatement } from './copy-line.ts';

/** The running maximum of log time, and where it grew since it was last written. */
export class LogClock {
  static readonly copyStatement = copyStatement('log_time', ['sequence', 'recorded_at']);
  #latest: string;
  readonly #lines = new CopyLines();

  /** @param latest the stored running maximum; empty when there is none. */
  constructor(latest: string) {
    this.#latest = latest;
  }

  see(sequence: number, recordedAt: string): void {
    const instant = utcInstant(recordedAt);
    if (instant <= this.#latest) return;
    this.#latest = instant;
    this.#lines.push(`${sequence}\t${instant}\n`);
  }

  /** Bytes of the lines that are to be written. */
  get size(): number {
    return this.#lines.size;
  }

  /** Lines for COPY; starts anew. */
  takeLines(): readonly Buffer[] {
    return this.#lines.take();
  }
}
