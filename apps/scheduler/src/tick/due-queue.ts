/** A schedule and when it is to be looked at, in milliseconds since 1970. */
export interface Entry {
  readonly due: number;
  readonly name: string;
}

/** Schedules by when they are to be looked at next: a binary heap. A changed time leaves the old entry to be passed over. */
export class DueQueue {
  readonly #heap: Entry[] = [];
  readonly #due = new Map<string, number>();

  /** Says when a schedule is to be looked at, in milliseconds since 1970; never when there is no time. */
  set(name: string, due: number | undefined): void {
    if (due === undefined) {
      this.#due.delete(name);
      return;
    }
    if (this.#due.get(name) === due) return;
    this.#due.set(name, due);
    this.#push({ due, name });
  }

  /** The earliest time that somebody waits for. */
  next(): number {
    this.#dropStale();
    return this.#heap[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  /** Takes out up to so many schedules whose time has come, the earliest first. */
  takeDue(now: number, most: number): string[] {
    const names: string[] = [];
    while (names.length < most && this.next() <= now) {
      const entry = this.#pop();
      if (entry === undefined) break;
      this.#due.delete(entry.name);
      names.push(entry.name);
    }
    return names;
  }

  /** Up to so many schedules whose time comes until then, the earliest first. They stay where they are. */
  upcoming(until: number, most: number): Entry[] {
    const entries: Entry[] = [];
    while (entries.length < most && this.next() <= until) {
      const entry = this.#pop();
      if (entry === undefined) break;
      entries.push(entry);
      // Otherwise a stale entry of the same time would be taken for another one.
      this.#due.delete(entry.name);
    }
    for (const { name, due } of entries) this.set(name, due);
    return entries;
  }

  #dropStale(): void {
    for (let top = this.#heap[0]; top && this.#due.get(top.name) !== top.due; top = this.#heap[0])
      this.#pop();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.due <= entry.due) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      const smaller = right !== undefined && right.due < left.due ? right : left;
      if (smaller === right) child += 1;
      if (smaller.due >= last.due) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}
