/** Finds out which commits, transactions, marks and new tablespaces a write-ahead log holds that flows past. */
import type { MadeTablespace } from './record-listener.ts';
import { RecordWalk } from './record-walk.ts';
import { TransactionRanges, type TransactionRange } from './transaction-ranges.ts';

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

/** A name that somebody left in the log. */
export interface FoundMark {
  readonly name: string;
  /** Microseconds since 1970. */
  readonly at: bigint;
  /** Where its record ends. */
  readonly position: bigint;
}

/** So many are listed of one log backup, the newest: of several of one name the newest is meant. */
const MOST_MARKS = 100;

export class CommitScanner {
  readonly #walk: RecordWalk;
  readonly #segmentSize: bigint;
  readonly #countedFrom: bigint;
  readonly #segments: SegmentCommits[] = [];
  readonly #transactions = new TransactionRanges();
  readonly #marks: FoundMark[] = [];
  #moreMarks = 0;
  readonly #tablespaces: MadeTablespace[] = [];
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
      transaction: ({ kind, xid, at, end }) => {
        if (end <= this.#countedFrom) return;
        this.#transactions.add(xid);
        if (kind === 'commit') this.#take({ at, position: end });
      },
      mark: ({ name, at, end }) => {
        if (end > this.#countedFrom) this.#takeMark({ name, at, position: end });
      },
      tablespace: (made) => {
        if (made.end > this.#countedFrom) this.#tablespaces.push(made);
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

  /** Transactions that ended, committed or not: one that was prepared when that was decided. */
  get transactions(): readonly TransactionRange[] {
    return this.#transactions.all;
  }

  /** In order; the newest when there are too many to list. */
  get marks(): readonly FoundMark[] {
    return this.#marks;
  }

  /** How many lie before those that are listed. */
  get moreMarks(): number {
    return this.#moreMarks;
  }

  /** In order. */
  get tablespaces(): readonly MadeTablespace[] {
    return this.#tablespaces;
  }

  /**
   * Where the log so far is understood up to: before a record that began in an earlier segment and is not there to its end.
   * Who reads on begins at the start of a segment, and would never see the beginning of that record.
   * @param end where the log ends now
   */
  understoodUntil(end: bigint): bigint {
    const { unfinished } = this.#walk;
    return unfinished !== undefined && unfinished < end - (end % this.#segmentSize) ? unfinished : end;
  }

  /** Segments in which something was committed, in order. */
  get segments(): readonly SegmentCommits[] {
    return this.#segments;
  }

  /** Takes in what follows on what came before, without a gap. */
  push(bytes: Uint8Array): void {
    this.#walk.push(bytes);
  }

  #takeMark(mark: FoundMark): void {
    this.#marks.push(mark);
    if (this.#marks.length <= MOST_MARKS) return;
    this.#marks.shift();
    this.#moreMarks += 1;
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
