import { utcInstant } from './utc-instant.ts';
import { copyStatement } from './copy-line.ts';

/** About what a line has. */
const LINE = 40;

/** The running maximum of log time, and where it grew since it was last written. */
export class LogClock {
  static readonly copyStatement = copyStatement('log_time', ['sequence', 'recorded_at']);
  #latest: string;
  #lines: string[] = [];

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

  /** Characters of the lines that are to be written. */
  get size(): number {
    return this.#lines.length * LINE;
  }

  /** Lines for COPY; starts anew. */
  takeLines(): string {
    const lines = this.#lines.join('');
    this.#lines = [];
    return lines;
  }
}
