import type { DriverProgress, RestoreOptions } from '../../port/source-driver.ts';

/** Several trees, told as one. They may be restored one within another. */
export class SharedProgress {
  readonly #options: RestoreOptions;
  readonly #parts: { files: number; bytes: number }[] = [];

  constructor(options: RestoreOptions) {
    this.#options = options;
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
          ...(current === undefined ? {} : { current }),
        });
      },
    };
  }
}
