import type { ReportProgress, SourceTotals } from '../port/source-driver.ts';
import { shownName, type ByteString } from '../system-calls/index.ts';

const interval = 100;

/** Adds up what is done and tells it at most ten times a second, so that counting costs next to nothing. */
export class ProgressMeter {
  files = 0;
  bytes = 0;
  readonly #report: ReportProgress | undefined;
  #expected: SourceTotals | undefined;
  #told = 0;

  constructor(report: ReportProgress | undefined) {
    this.#report = report;
  }

  /** What there will be in the end, as far as is known. */
  expect(totals: SourceTotals | undefined): void {
    this.#expected = totals;
  }

  add(files: number, bytes: number, current: ByteString): void {
    this.files += files;
    this.bytes += bytes;
    if (this.#report && performance.now() - this.#told >= interval) this.#tell(current);
  }

  finish(): void {
    this.#tell();
  }

  #tell(current?: ByteString): void {
    this.#told = performance.now();
    this.#report?.({
      files: this.files,
      bytes: this.bytes,
      ...(this.#expected
        ? {
            totalFiles: Math.max(this.#expected.files, this.files),
            totalBytes: Math.max(this.#expected.bytes, this.bytes),
          }
        : {}),
      ...(current === undefined ? {} : { current: shownName(current) }),
    });
  }
}
