/** What waits for its reader, first in first out; taking costs the same however long the line is. */
export class WaitingLine<T> {
  #line: T[] = [];
  #begun = 0;

  push(one: T): void {
    this.#line.push(one);
  }

  take(): T | undefined {
    const next = this.#line[this.#begun];
    if (next === undefined) return undefined;
    this.#begun += 1;
    if (this.#begun === this.#line.length) {
      this.#line = [];
      this.#begun = 0;
    }
    return next;
  }
}
