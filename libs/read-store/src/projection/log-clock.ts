import { comparableInstant } from './comparable-instant.ts';
import { copyStatement } from './copy-line.ts';

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
    const instant = comparableInstant(recordedAt);
    if (instant <= this.#latest) return;
    this.#latest = instant;
    this.#lines.push(`${sequence}\t${instant}\n`);
  }

  /** Lines for COPY; starts anew. */
  takeLines(): string {
    const lines = this.#lines.join('');
    this.#lines = [];
    return lines;
  }
}
