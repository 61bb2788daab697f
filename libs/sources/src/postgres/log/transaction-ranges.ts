/**
 * The numbers of the transactions that ended in a stretch of log, as a few ranges: enough to know which log backups one
 * may be in, small enough for a manifest. What a range covers may be more than what ended, never less.
 */

/** First and last number. */
export type TransactionRange = readonly [first: number, last: number];

/** How many ranges are kept; the two that lie closest become one when there are more. */
const MOST_RANGES = 8;
/** Transactions end out of order: so far from the last one still counts as next to it. */
const NEAR = 1024;

export class TransactionRanges {
  readonly #ranges: [number, number][] = [];
  #current: [number, number] | undefined;

  /** @param xid 32 bits */
  add(xid: number): void {
    const current = this.#current;
    if (current !== undefined && xid >= current[0] - NEAR && xid <= current[1] + NEAR) {
      if (xid < current[0]) current[0] = xid;
      else if (xid > current[1]) current[1] = xid;
      return;
    }
    this.#current = [xid, xid];
    this.#ranges.push(this.#current);
    if (this.#ranges.length > MOST_RANGES) this.#joinClosest();
  }

  /** In order, none touching another. */
  get all(): readonly TransactionRange[] {
    const joined: [number, number][] = [];
    for (const [first, last] of this.#ranges.toSorted((a, b) => a[0] - b[0])) {
      const before = joined.at(-1);
      if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
      else joined.push([first, last]);
    }
    return joined;
  }

  #joinClosest(): void {
    const inOrder = this.#ranges.toSorted((a, b) => a[0] - b[0]);
    const pairs = inOrder.flatMap((right, index) => {
      const left = inOrder[index - 1];
      return left === undefined ? [] : [{ left, right, gap: right[0] - left[1] }];
    });
    const [closest] = pairs.toSorted((a, b) => a.gap - b.gap);
    if (closest === undefined) return;
    const { left, right } = closest;
    left[1] = Math.max(left[1], right[1]);
    this.#ranges.splice(this.#ranges.indexOf(right), 1);
    if (this.#current === right) this.#current = left;
  }
}
