import { comparePaths, type StoredEntry } from '@catena/vault';

/** The parent's entries beside the walk: both are in canonical order, so one step forward at a time is enough. */
export class PreviousEntries {
  readonly #entries: AsyncIterator<StoredEntry>;
  #current: StoredEntry | undefined;
  #ended = false;
  #begun = false;

  constructor(entries: AsyncIterable<StoredEntry>) {
    this.#entries = entries[Symbol.asyncIterator]();
  }

  /** Whether there is nothing left to compare with. */
  get isOver(): boolean {
    return this.#ended;
  }

  /** The parent's entry of a path. Paths must be asked for in canonical order. */
  async at(path: Uint8Array): Promise<StoredEntry | undefined> {
    if (!this.#begun) {
      this.#begun = true;
      await this.#advance();
    }
    while (this.#current !== undefined) {
      const order = comparePaths(this.#current.path, path);
      if (order === 0) return this.#current;
      if (order > 0) return undefined;
      await this.#advance();
    }
    return undefined;
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#entries.return?.();
  }

  async #advance(): Promise<void> {
    const step = await this.#entries.next();
    this.#ended = step.done === true;
    this.#current = step.done === true ? undefined : step.value;
  }
}
