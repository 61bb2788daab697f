/**
 * Reads commit times out of a write-ahead log that flows past. Only what is needed for that is understood: page headers,
 * record headers, and the record kinds that carry a time. The layout is that of PostgreSQL 13 to 18 on little-endian
 * machines (access/xlog_internal.h, access/xlogrecord.h, access/xact.h).
 */

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

const PAGE = 8192n;
const SHORT_HEADER = 24;
const LONG_HEADER = 40;
const FIRST_IS_CONTINUED = 0x0001;
const RECORD_HEADER = 24;
/** Of a record: its header, those of what it carries, and the time. */
const LOOKED_AT = RECORD_HEADER + 3 + 5 + 5 + 8;
const TRANSACTION_MANAGER = 1;
const LOG_MANAGER = 0;
const SWITCH = 0x40;
const COMMIT = 0x00;
const COMMIT_PREPARED = 0x30;
/** Between 1970 and 2000, where PostgreSQL's clock begins. */
export const EPOCH_MICROSECONDS = 946_684_800_000_000n;

export class CommitScanner {
  readonly #segmentSize: bigint;
  readonly #countedFrom: bigint;
  readonly #segments: SegmentCommits[] = [];
  #position: bigint;
  /** Of the page header that is being read. */
  #pageHeader = Buffer.alloc(0);
  #record = Buffer.alloc(0);
  /** Bytes of the record that are still to come; undefined between records, and while its length is not known. */
  #rest: number | undefined;
  /** Bytes to pass over without looking: the end of a record that began before. */
  #passing = 0;
  #isFirstPage = true;
  /** Set after a switch: what follows in the segment means nothing. */
  #nothingUntil: bigint | undefined;
  #count = 0;
  #first: Commit | undefined;
  #last: Commit | undefined;

  /**
   * @param from where the log begins: the start of a segment
   * @param countedFrom what was committed up to there does not count
   */
  constructor(from: bigint, segmentSize: bigint, countedFrom: bigint = from) {
    this.#position = from;
    this.#segmentSize = segmentSize;
    this.#countedFrom = countedFrom;
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
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < chunk.length;) {
      const inPage = Number(this.#position % PAGE);
      const header = this.#position % this.#segmentSize < PAGE ? LONG_HEADER : SHORT_HEADER;
      const isHeader = inPage < header;
      const length = Math.min(chunk.length - at, (isHeader ? header : Number(PAGE)) - inPage);
      const part = chunk.subarray(at, at + length);
      at += length;
      if (isHeader) {
        this.#position += BigInt(length);
        this.#takeHeader(part, inPage + length === header);
      } else this.#takeContent(part);
    }
  }

  #takeHeader(part: Buffer, isWhole: boolean): void {
    if (!this.#isFirstPage) return;
    this.#pageHeader = Buffer.concat([this.#pageHeader, part]);
    if (!isWhole) return;
    this.#isFirstPage = false;
    const isContinued = (this.#pageHeader.readUInt16LE(2) & FIRST_IS_CONTINUED) !== 0;
    if (isContinued) this.#passing = this.#pageHeader.readUInt32LE(16);
  }

  #takeContent(part: Buffer): void {
    let at = 0;
    while (at < part.length) {
      const left = part.length - at;
      const taken = this.#nothingUntil === undefined ? this.#step(part.subarray(at)) : left;
      at += taken;
      this.#position += BigInt(taken);
      if (this.#nothingUntil !== undefined && this.#position >= this.#nothingUntil)
        this.#nothingUntil = undefined;
      if (this.#rest === 0) this.#close();
    }
  }

  /** Takes some of the bytes, at least one, and says how many. */
  #step(bytes: Buffer): number {
    if (this.#passing > 0) {
      const passed = Math.min(this.#passing, bytes.length);
      this.#passing -= passed;
      return passed;
    }
    if (this.#rest === undefined) return this.#beginRecord(bytes);
    const taken = Math.min(this.#rest, bytes.length);
    const wanted = LOOKED_AT - this.#record.length;
    if (wanted > 0) this.#record = Buffer.concat([this.#record, bytes.subarray(0, Math.min(wanted, taken))]);
    this.#rest -= taken;
    return taken;
  }

  /** Records begin at multiples of 8; the length, which comes first, is never torn apart by a page. */
  #beginRecord(bytes: Buffer): number {
    if (this.#record.length === 0) {
      const padding = Number((8n - (this.#position % 8n)) % 8n);
      if (padding > 0) return Math.min(padding, bytes.length);
    }
    const taken = Math.min(4 - this.#record.length, bytes.length);
    this.#record = Buffer.concat([this.#record, bytes.subarray(0, taken)]);
    if (this.#record.length < 4) return taken;
    const length = this.#record.readUInt32LE(0);
    if (length < RECORD_HEADER) this.#passSegment();
    else this.#rest = length - 4;
    return taken;
  }

  /** Nothing more is in this segment: the server went on with the next one. */
  #passSegment(): void {
    this.#record = Buffer.alloc(0);
    this.#rest = undefined;
    this.#nothingUntil = this.#position - (this.#position % this.#segmentSize) + this.#segmentSize;
  }

  #close(): void {
    const record = this.#record;
    this.#record = Buffer.alloc(0);
    this.#rest = undefined;
    const info = record[16] ?? 0;
    const manager = record[17];
    if (manager === LOG_MANAGER && (info & 0xf0) === SWITCH) return this.#passSegment();
    if (manager !== TRANSACTION_MANAGER) return;
    const operation = info & 0x70;
    if (operation !== COMMIT && operation !== COMMIT_PREPARED) return;
    const at = timeOf(record);
    if (at === undefined) return;
    if (this.#position <= this.#countedFrom) return;
    const commit: Commit = { at, position: this.#position };
    this.#count += 1;
    this.#first ??= commit;
    this.#last = later(this.#last, commit);
    this.#countInSegment(commit);
  }

  #countInSegment(commit: Commit): void {
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

const MAIN_DATA_SHORT = 255;
const MAIN_DATA_LONG = 254;
const ORIGIN = 253;
const TOP_LEVEL_TRANSACTION = 252;

/** The time that a commit record begins with, behind the headers of what it carries. */
function timeOf(record: Buffer): bigint | undefined {
  for (let at = RECORD_HEADER; at < record.length;) {
    switch (record[at]) {
      case ORIGIN:
        at += 3;
        break;
      case TOP_LEVEL_TRANSACTION:
        at += 5;
        break;
      case MAIN_DATA_SHORT:
        return timeAt(record, at + 2);
      case MAIN_DATA_LONG:
        return timeAt(record, at + 5);
      default:
        return undefined;
    }
  }
  return undefined;
}

function timeAt(record: Buffer, at: number): bigint | undefined {
  return at + 8 <= record.length ? record.readBigInt64LE(at) + EPOCH_MICROSECONDS : undefined;
}
