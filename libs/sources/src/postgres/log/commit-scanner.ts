/** Finds out which commits a write-ahead log holds that flows past. */
import { RecordWalk } from './record-walk.ts';

/** A transaction that is committed, and from where on. */
export interface Commit {
  /** Microseconds since 1970, as the server wrote it: what a time to restore to is compared with. */
  readonly at: bigint;
  /** Where its record ends. */
  readonly position: bigint;
}

/** What was committed within a stretch of log. */
export interface Commits {
  readonly count: number;
  readonly first?: Commit;
  readonly last?: Commit;
}

/** The commits whose records end within one segment. */
export interface SegmentCommits extends Commits {
  /** Where the segment begins. */
  readonly segment: bigint;
}

export class CommitScanner {
  readonly #walk: RecordWalk;
  readonly #segmentSize: bigint;
  readonly #countedFrom: bigint;
  readonly #segments: SegmentCommits[] = [];
  #count = 0;
  #first: Commit | undefined;
  #last: Commit | undefined;

  /**
   * @param from where the log begins: the start of a segment
   * @param countedFrom what was committed up to there does not count
   */
  constructor(from: bigint, segmentSize: bigint, countedFrom: bigint = from) {
    this.#segmentSize = segmentSize;
    this.#countedFrom = countedFrom;
    this.#walk = new RecordWalk(from, segmentSize, {
      transaction: ({ kind, at, end }) => {
        if (kind === 'commit' && end > this.#countedFrom) this.#take({ at, position: end });
      },
    });
  }

  /** Only commits whose records are there to their end. */
  get commits(): Commits {
    return {
      count: this.#count,
      ...(this.#first === undefined ? {} : { first: this.#first }),
      ...(this.#last === undefined ? {} : { last: this.#last }),
    };
  }

  /** Segments in which something was committed, in order. */
  get segments(): readonly SegmentCommits[] {
    return this.#segments;
  }

  /** Takes in what follows on what came before, without a gap. */
  push(bytes: Uint8Array): void {
    this.#walk.push(bytes);
  }

  #take(commit: Commit): void {
    this.#count += 1;
    this.#first ??= commit;
    this.#last = later(this.#last, commit);
    const segment = ((commit.position - 1n) / this.#segmentSize) * this.#segmentSize;
    const before = this.#segments.at(-1);
    if (before?.segment !== segment) {
      this.#segments.push({ segment, count: 1, first: commit, last: commit });
      return;
    }
    const { count, last } = before;
    this.#segments[this.#segments.length - 1] = { ...before, count: count + 1, last: later(last, commit) };
  }
}

/** Commit times go back by a little now and then: what can be promised is the latest of them. */
function later(last: Commit | undefined, next: Commit): Commit {
  return last === undefined || next.at >= last.at ? next : last;
}
