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
    if (this.#expected) this.#expected = { files: this.files, bytes: this.bytes };
    this.#tell();
  }

  #tell(current?: ByteString): void {
    this.#told = performance.now();
    const { files = -1, bytes = -1 } = this.#expected ?? {};
    this.#report?.({
      files: this.files,
      bytes: this.bytes,
      // When there is more than was expected nobody knows how much there will be.
      ...(files >= this.files ? { totalFiles: files } : {}),
      ...(bytes >= this.bytes ? { totalBytes: bytes } : {}),
      ...(current === undefined ? {} : { current: shownName(current) }),
    });
  }
}
