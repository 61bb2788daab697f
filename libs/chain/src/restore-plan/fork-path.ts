import { comparePositions, type Position } from '../position.ts';

/** Where a fork left its parent: up to `at` both have one history. */
export interface ForkOrigin {
  readonly parent: string;
  readonly at: Position;
}

/**
 * The way to a fork: the old branch up to its fork point, then the new one (rules.md 2.1). Positions of two forks may
 * overlap, so a backup is on the path only by its fork and its end.
 */
export class ForkPath {
  /** Up to which position each fork is on the path; undefined: to its end. */
  readonly #upTo = new Map<string, Position | undefined>();

  /** @param owner the fork that owns the target. */
  constructor(owner: string, origins: ReadonlyMap<string, ForkOrigin>) {
    let fork: string | undefined = owner;
    let limit: Position | undefined;
    while (fork !== undefined && !this.#upTo.has(fork)) {
      this.#upTo.set(fork, limit);
      const origin = origins.get(fork);
      if (origin !== undefined && (limit === undefined || comparePositions(origin.at, limit) < 0)) {
        limit = origin.at;
      }
      fork = origin?.parent;
    }
  }

  /** Whether a backup that ends there on that fork is on the path. A fork or an end that is not known is. */
  holds(fork: string | undefined, end: Position | undefined): boolean {
    if (fork === undefined) return true;
    if (!this.#upTo.has(fork)) return false;
    const limit = this.#upTo.get(fork);
    return limit === undefined || end === undefined || comparePositions(end, limit) <= 0;
  }

  /** Where the path leaves a fork that it comes from; undefined when it does not, or never was on it. */
  leaves(fork: string | undefined): Position | undefined {
    return fork === undefined ? undefined : this.#upTo.get(fork);
  }

  /** Whether the fork is on the path at all. */
  crosses(fork: string | undefined): boolean {
    return fork === undefined || this.#upTo.has(fork);
  }
}
