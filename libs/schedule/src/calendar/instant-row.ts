/** Instants in a row, without the instants: after a long downtime there may be millions. Milliseconds since 1970. */
export interface InstantRow {
  readonly first: number;
  /** The last but one; the first when there is one. */
  readonly beforeLatest: number;
  readonly latest: number;
  readonly count: number;
}

/** Puts rows that follow each other together. */
export class RowBuilder {
  #row: InstantRow | undefined;

  get row(): InstantRow | undefined {
    return this.#row;
  }

  /** One instant, after all that were added. */
  add(at: number): void {
    this.append({ first: at, beforeLatest: at, latest: at, count: 1 });
  }

  /** A row that lies after all that were added. */
  append(next: InstantRow | undefined): void {
    if (next === undefined) return;
    const row = this.#row;
    if (row === undefined) this.#row = next;
    else {
      this.#row = {
        first: row.first,
        beforeLatest: next.count === 1 ? row.latest : next.beforeLatest,
        latest: next.latest,
        count: row.count + next.count,
      };
    }
  }
}
