import type { ProgressMessage } from '@catena/events';
import { formatBytes, formatDuration, plural } from './quantities.ts';

/** One line about where a run stands. */
export function progressLine(progress: ProgressMessage): string {
  const share =
    progress.totalBytes !== undefined && progress.totalBytes > 0
      ? ` of ${formatBytes(progress.totalBytes)} (${Math.min(100, Math.floor((100 * progress.bytes) / progress.totalBytes))} %)`
      : '';
  const remaining =
    progress.secondsRemaining === undefined || progress.secondsRemaining === 0
      ? ''
      : `, ${formatDuration(progress.secondsRemaining * 1000)} left`;
  return `${progress.phase}: ${plural(progress.files, 'file')}, ${formatBytes(progress.bytes)}${share}, ${formatBytes(progress.bytesPerSecond)}/s${remaining}`;
}

function bar(progress: ProgressMessage, width: number): string {
  if (progress.totalBytes === undefined || progress.totalBytes === 0) return '';
  const filled = Math.min(width, Math.round((width * progress.bytes) / progress.totalBytes));
  return `[${'█'.repeat(filled)}${'░'.repeat(width - filled)}] `;
}

/** Standard error, or what stands for it. */
export type ProgressOutput = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Where progress goes: one rewritten line on a terminal, a plain line every few seconds elsewhere. */
export class ProgressDisplay {
  readonly #stream: ProgressOutput;
  readonly #secondsBetweenLines: number;
  #lastLineAt = 0;
  #shown = false;

  constructor(stream: ProgressOutput, secondsBetweenLines = 5) {
    this.#stream = stream;
    this.#secondsBetweenLines = secondsBetweenLines;
  }

  show(progress: ProgressMessage): void {
    if (this.#stream.isTTY) {
      // A line that wraps could not be written anew; the last column stays free, because some terminals wrap there.
      const line = `  ${bar(progress, 24)}${progressLine(progress)}`.slice(
        0,
        (this.#stream.columns ?? 120) - 1,
      );
      this.#stream.write(`\r\x1b[2K${line}`);
      this.#shown = true;
      return;
    }
    if (progress.files === 0 && progress.bytes === 0) return;
    const now = performance.now();
    if (this.#lastLineAt !== 0 && now - this.#lastLineAt < this.#secondsBetweenLines * 1000) return;
    this.#lastLineAt = now;
    this.#stream.write(`  ${progressLine(progress)}\n`);
  }

  /** Makes room for ordinary lines. */
  clear(): void {
    if (this.#shown) this.#stream.write('\r\x1b[2K');
    this.#shown = false;
  }
}
