import type { DriverProgress, RestoreOptions, SourceTotals } from '../../port/source-driver.ts';

/** Several trees, told as one. They may be restored one within another. */
export class SharedProgress {
  readonly #options: RestoreOptions;
  readonly #totals: SourceTotals;
  readonly #parts: { files: number; bytes: number }[] = [];

  /** @param totals of all of them together */
  constructor(options: RestoreOptions, totals: SourceTotals) {
    this.#options = options;
    this.#totals = totals;
  }

  part(options: Omit<RestoreOptions, 'beforeVisible'>): RestoreOptions {
    const { progress } = this.#options;
    if (progress === undefined) return options;
    const own = { files: 0, bytes: 0 };
    this.#parts.push(own);
    return {
      ...options,
      progress: ({ files, bytes, current }: DriverProgress) => {
        Object.assign(own, { files, bytes });
        const sum = (of: 'files' | 'bytes') => this.#parts.reduce((total, part) => total + part[of], 0);
        progress({
          files: sum('files'),
          bytes: sum('bytes'),
          totalFiles: this.#totals.files,
          totalBytes: this.#totals.bytes,
          ...(current === undefined ? {} : { current }),
        });
      },
    };
  }
}
