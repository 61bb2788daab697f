import { comparePositions, type Position } from '../position.ts';

/** A log backup as far as walking is concerned: it covers `(start, end]`. */
export interface WalkableLog {
  readonly start: Position;
  readonly end: Position;
  readonly copyOnly: boolean;
}

/**
 * Walks logs by position (rules.md 2.5): each starts at or before the current position and ends after it, the one that
 * reaches furthest first. Regular logs come first; a copy-only one only where they stop short. Empty ones never come.
 * Building sorts once; each step of a walk is a binary search.
 */
export class LogWalk<L extends WalkableLog> {
  readonly #regular: FurthestByStart<L>;
  readonly #copyOnly: FurthestByStart<L>;
  readonly #lasts = new Map<L, L>();

  constructor(logs: Iterable<L>) {
    const covering = [...logs].filter((log) => comparePositions(log.end, log.start) > 0);
    this.#regular = new FurthestByStart(covering.filter((log) => !log.copyOnly));
    this.#copyOnly = new FurthestByStart(covering.filter((log) => log.copyOnly));
  }

  /** The log to apply at a position; undefined when none reaches on. */
  next(at: Position): L | undefined {
    return this.#regular.beyond(at) ?? this.#copyOnly.beyond(at);
  }

  /** The logs from a position on, up to and including the first that satisfies `reached`. */
  walk(from: Position, reached: (log: L) => boolean): L[] {
    const steps: L[] = [];
    for (let log = this.next(from); log !== undefined; log = this.next(log.end)) {
      steps.push(log);
      if (reached(log)) break;
    }
    return steps;
  }

  /** The last log of the walk from a position; undefined when none reaches on. Remembered for every log on the way. */
  last(from: Position): L | undefined {
    const passed: L[] = [];
    let last: L | undefined;
    for (let log = this.next(from); log !== undefined; log = this.next(log.end)) {
      last = this.#lasts.get(log);
      if (last !== undefined) break;
      passed.push(log);
    }
    last ??= passed.at(-1);
    if (last !== undefined) for (const log of passed) this.#lasts.set(log, last);
    return last;
  }

  /** The log that ends last, wherever it starts. */
  furthest(): L | undefined {
    const [regular, copyOnly] = [this.#regular.furthest(), this.#copyOnly.furthest()];
    if (regular === undefined || copyOnly === undefined) return regular ?? copyOnly;
    return comparePositions(copyOnly.end, regular.end) > 0 ? copyOnly : regular;
  }

  /** The first log that starts after a position: the other side of a gap. */
  afterGap(at: Position): L | undefined {
    const regular = this.#regular.after(at);
    const copyOnly = this.#copyOnly.after(at);
    if (regular === undefined || copyOnly === undefined) return regular ?? copyOnly;
    return comparePositions(copyOnly.start, regular.start) < 0 ? copyOnly : regular;
  }
}

/** Logs by start, each with the furthest-reaching log among it and those before it. */
class FurthestByStart<L extends WalkableLog> {
  readonly #logs: readonly L[];
  readonly #furthest: readonly L[];

  constructor(logs: readonly L[]) {
    this.#logs = [...logs].sort((a, b) => comparePositions(a.start, b.start));
    let best: L | undefined;
    this.#furthest = this.#logs.map((log) => {
      best = best === undefined || comparePositions(log.end, best.end) > 0 ? log : best;
      return best;
    });
  }

  beyond(at: Position): L | undefined {
    const log = this.#furthest[this.#startingAtOrBefore(at) - 1];
    return log !== undefined && comparePositions(log.end, at) > 0 ? log : undefined;
  }

  furthest(): L | undefined {
    return this.#furthest.at(-1);
  }

  after(at: Position): L | undefined {
    return this.#logs[this.#startingAtOrBefore(at)];
  }

  #startingAtOrBefore(at: Position): number {
    let low = 0;
    let high = this.#logs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const log = this.#logs[middle];
      if (log !== undefined && comparePositions(log.start, at) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
