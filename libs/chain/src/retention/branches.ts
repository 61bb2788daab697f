import { ForkPath, type ForkOrigin } from '../restore-plan/fork-path.ts';
import { comparePositions } from '../position.ts';
import type { RetentionPoint } from './point.ts';

/** Where branches of the source's history left others. */
export type ForkOrigins = ReadonlyMap<string, ForkOrigin>;

/**
 * The branches of the sources' histories, as far as it matters which logs are rolled on which data backups: what lies beyond the point
 * where a branch was left is not on the way to another. Of a family whose branches hang together in no way that is known, and
 * of points that do not say where they lie, nothing is left out: then time and position decide alone.
 */
export class Branches {
  readonly #origins: ForkOrigins;
  readonly #paths = new Map<string, ForkPath>();
  /** By family, the branches of which nobody knows where they came from: the first, and any that is torn off. */
  readonly #roots = new Map<string, Set<string>>();

  constructor(points: Iterable<RetentionPoint>, origins: ForkOrigins) {
    this.#origins = origins;
    for (const { place } of points) {
      if (place?.fork === undefined) continue;
      const roots = this.#roots.get(place.family) ?? new Set();
      this.#roots.set(place.family, roots.add(this.#rootOf(place.fork)));
    }
  }

  /** The same for points of one branch of one family. */
  keyOf({ place }: RetentionPoint): string {
    return JSON.stringify(place === undefined ? [] : [place.family, this.#branchOf(place) ?? '']);
  }

  /** Whether a point lies on the way to the end of the branch that another one is of. */
  isOnWay({ type, place }: RetentionPoint, { place: goal }: RetentionPoint): boolean {
    if (place === undefined || goal === undefined) return true;
    if (place.family !== goal.family) return false;
    const [branch, to] = [this.#branchOf(place), this.#branchOf(goal)];
    if (branch === undefined || to === undefined) return true;
    const path = this.#pathTo(to);
    if (type !== 'log') return path.holds(branch, place.position);
    const leftAt = path.leaves(branch);
    // A log that goes on beyond the point where its branch was left is used up to there.
    const begins =
      place.start === undefined || leftAt === undefined || comparePositions(place.start, leftAt) < 0;
    return path.crosses(branch) && begins;
  }

  /** Whether a log is rolled on a data backup, itself or through others. One that shows an old time may lie behind by position. */
  follows(log: RetentionPoint, base: RetentionPoint): boolean {
    if (!this.isOnWay(base, log)) return false;
    const [own, other] = [log.place, base.place];
    if (own === undefined || other === undefined) return log.time > base.time;
    const [branch, from] = [this.#branchOf(own), this.#branchOf(other)];
    if (branch !== undefined && from !== undefined && branch !== from) return true;
    return log.time > base.time || comparePositions(own.position, other.position) > 0;
  }

  /** Undefined where branches do not count. */
  #branchOf({ family, fork }: NonNullable<RetentionPoint['place']>): string | undefined {
    return (this.#roots.get(family)?.size ?? 0) > 1 ? undefined : fork;
  }

  #pathTo(fork: string): ForkPath {
    const known = this.#paths.get(fork) ?? new ForkPath(fork, this.#origins);
    this.#paths.set(fork, known);
    return known;
  }

  #rootOf(fork: string): string {
    const seen = new Set<string>();
    for (let at = fork; ;) {
      const parent = this.#origins.get(at)?.parent;
      if (parent === undefined || seen.has(parent)) return at;
      seen.add(at);
      at = parent;
    }
  }
}
