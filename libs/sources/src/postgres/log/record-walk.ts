/**
 * Walks through the records of a write-ahead log that flows past. Only what is needed to know where transactions end is
 * understood: page headers, record headers, and the few kinds of record that carry a time. The layout is that of
 * PostgreSQL 13 to 18 on little-endian machines (access/xlog_internal.h, access/xlogrecord.h, access/xact.h,
 * catalog/pg_control.h).
 */

/** A transaction that ended. Positions are those of its record: where it begins, and where the next may begin. */
export interface TransactionEnd {
  readonly kind: 'commit' | 'abort';
  /** 32 bits; 0 for one that was prepared before, whose own number lies deeper in the record. */
  readonly xid: number;
  /** Microseconds since 1970, as the server wrote it: what a time to restore to is compared with. */
  readonly at: bigint;
  readonly start: bigint;
  readonly end: bigint;
}

/** A name that somebody left in the log (`pg_create_restore_point`). */
export interface LogMark {
  readonly name: string;
  readonly at: bigint;
  readonly start: bigint;
  readonly end: bigint;
}

/** A tablespace that was created (`CREATE TABLESPACE`): who replays it makes it at the very same path. */
export interface MadeTablespace {
  readonly oid: number;
  readonly path: string;
  readonly start: bigint;
  readonly end: bigint;
}

export interface RecordListener {
  transaction?(ended: TransactionEnd): void;
  mark?(mark: LogMark): void;
  tablespace?(made: MadeTablespace): void;
  /** Every record, in bytes from where the walk began. */
  record?(start: number, end: number): void;
}

const PAGE = 8192;
const SHORT_HEADER = 24;
const LONG_HEADER = 40;
const FIRST_IS_CONTINUED = 0x0001;
const FLAGS_AT = 2;
const PAGE_ADDRESS_AT = 8;
const REMAINING_LENGTH_AT = 16;
const RECORD_HEADER = 24;
/** Of a record: its header, those of what it carries, a time and a name. */
const LOOKED_AT = RECORD_HEADER + 3 + 5 + 5 + 8 + 64;
/** Of one that may name a path (at most 1024 bytes). */
const LOOKED_AT_WITH_PATH = RECORD_HEADER + 3 + 5 + 5 + 4 + 1024;
/** Where a record's header says whose record it is. */
const MANAGER_AT = 17;
const LOG_MANAGER = 0;
const SWITCH = 0x40;
const RESTORE_POINT = 0x70;
const TRANSACTION_MANAGER = 1;
const COMMIT = 0x00;
const ABORT = 0x20;
const COMMIT_PREPARED = 0x30;
const ABORT_PREPARED = 0x40;
const TABLESPACE_MANAGER = 5;
const CREATE_TABLESPACE = 0x00;
/** Between 1970 and 2000, where PostgreSQL's clock begins. */
const EPOCH_MICROSECONDS = 946_684_800_000_000n;

export class RecordWalk {
  readonly #from: bigint;
  readonly #segmentSize: number;
  /** Where the first byte lies in its segment. */
  readonly #inSegment: number;
  readonly #listener: RecordListener;
  /** Bytes taken in so far. */
  #offset = 0;
  readonly #header = Buffer.alloc(LONG_HEADER);
  readonly #head = Buffer.alloc(LOOKED_AT_WITH_PATH);
  #headLength = 0;
  /** Of the record that is being read; 0 between records, -1 while its length is not known. */
  #length = 0;
  #start = 0;
  #taken = 0;
  /** Bytes to pass over without looking: the end of a record that began before. */
  #passing = 0;
  /** Set after a switch: what follows in the segment means nothing. */
  #nothingUntil = 0;
  #end: number | undefined;

  /** @param from where the log begins: the start of a page */
  constructor(from: bigint, segmentSize: bigint, listener: RecordListener = {}) {
    this.#from = from;
    this.#segmentSize = Number(segmentSize);
    this.#inSegment = Number(from % segmentSize);
    this.#listener = listener;
  }

  /** Of the next byte. */
  get position(): bigint {
    return this.#from + BigInt(this.#offset);
  }

  /** Where the last record ended that was there to its end. */
  get end(): bigint | undefined {
    return this.#end === undefined ? undefined : this.#from + BigInt(this.#end);
  }

  /** Where the record began that is not there to its end yet; undefined between records. */
  get unfinished(): bigint | undefined {
    return this.#length === 0 ? undefined : this.#from + BigInt(this.#start);
  }

  /** Takes in what follows on what came before, without a gap. */
  push(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < chunk.length;) {
      const inPage = this.#offset % PAGE;
      const header =
        (this.#offset - inPage + this.#inSegment) % this.#segmentSize === 0 ? LONG_HEADER : SHORT_HEADER;
      if (inPage < header) {
        const length = Math.min(chunk.length - at, header - inPage);
        chunk.copy(this.#header, inPage, at, at + length);
        at += length;
        this.#offset += length;
        if (inPage + length === header) this.#takeHeader(header);
        continue;
      }
      const stop = at + Math.min(chunk.length - at, PAGE - inPage);
      while (at < stop) at += this.#step(chunk, at, stop - at);
    }
  }

  #takeHeader(length: number): void {
    if (this.#nothingUntil >= this.#offset) return;
    const place = this.#from + BigInt(this.#offset - length);
    // What follows was left by an earlier use of the file: the log ends here.
    if (this.#header.readBigUInt64LE(PAGE_ADDRESS_AT) !== place) {
      this.#nothingUntil = Infinity;
      return;
    }
    const isContinued = (this.#header.readUInt16LE(FLAGS_AT) & FIRST_IS_CONTINUED) !== 0;
    const remaining = isContinued ? this.#header.readUInt32LE(REMAINING_LENGTH_AT) : 0;
    const isBeginning = this.#offset === length;
    if (!isBeginning && remaining === this.#remaining) return;
    // A server that crashed while it wrote the record went on with others in its place.
    this.#length = 0;
    this.#passing = aligned(remaining);
  }

  /** Bytes of the record that this page begins with which are still to come. */
  get #remaining(): number {
    return this.#length > 0 ? this.#length - this.#taken : this.#passing;
  }

  /** Takes some of what is left of a page, at least one byte, and says how many. */
  #step(chunk: Buffer, at: number, available: number): number {
    if (this.#nothingUntil > this.#offset) return this.#pass(available, this.#nothingUntil - this.#offset);
    if (this.#passing > 0) {
      const passed = this.#pass(available, this.#passing);
      this.#passing -= passed;
      return passed;
    }
    if (this.#length === 0) {
      // Records begin at multiples of 8; their length, which comes first, is never torn apart by a page.
      const padding = aligned(this.#offset) - this.#offset;
      if (padding > 0) return this.#pass(available, padding);
      const whole = this.#passWhole(chunk, at, available);
      if (whole > 0) return whole;
      this.#start = this.#offset;
      this.#headLength = this.#taken = 0;
      this.#length = -1;
    }
    return this.#length === -1 ? this.#takeLength(chunk, at, available) : this.#take(chunk, at, available);
  }

  /** Most records lie within a page and tell nothing of time; answers 0 for any other. */
  #passWhole(chunk: Buffer, at: number, available: number): number {
    if (available < RECORD_HEADER) return 0;
    const length = chunk.readUInt32LE(at);
    const manager = chunk[at + MANAGER_AT] ?? 0;
    if (length < RECORD_HEADER || length > available || manager <= TRANSACTION_MANAGER) return 0;
    if (manager === TABLESPACE_MANAGER) return 0;
    const start = this.#offset;
    this.#offset += length;
    this.#end = aligned(this.#offset);
    this.#listener.record?.(start, this.#end);
    return length;
  }

  #pass(available: number, wanted: number): number {
    const passed = Math.min(available, wanted);
    this.#offset += passed;
    return passed;
  }

  #takeLength(chunk: Buffer, at: number, available: number): number {
    const taken = this.#keep(chunk, at, Math.min(4 - this.#taken, available));
    if (this.#taken < 4) return taken;
    this.#length = this.#head.readUInt32LE(0);
    if (this.#length < RECORD_HEADER) this.#passSegment();
    return taken;
  }

  #take(chunk: Buffer, at: number, available: number): number {
    const taken = this.#keep(chunk, at, Math.min(this.#length - this.#taken, available));
    if (this.#taken === this.#length) this.#close();
    return taken;
  }

  #keep(chunk: Buffer, at: number, length: number): number {
    const kept = Math.min(this.#lookedAt(chunk, at, length) - this.#headLength, length);
    if (kept > 0) {
      chunk.copy(this.#head, this.#headLength, at, at + kept);
      this.#headLength += kept;
    }
    this.#taken += length;
    this.#offset += length;
    return length;
  }

  /** How much of the record that is being read is kept. */
  #lookedAt(chunk: Buffer, at: number, length: number): number {
    const ahead = at + MANAGER_AT - this.#headLength;
    const manager =
      this.#headLength > MANAGER_AT
        ? this.#head[MANAGER_AT]
        : ahead < at + length
          ? chunk[ahead]
          : TABLESPACE_MANAGER;
    return manager === TABLESPACE_MANAGER ? LOOKED_AT_WITH_PATH : LOOKED_AT;
  }

  /** Nothing more is in this segment: the server went on with the next one. */
  #passSegment(): void {
    this.#length = 0;
    const inSegment = (this.#offset + this.#inSegment) % this.#segmentSize;
    this.#nothingUntil = inSegment === 0 ? this.#offset : this.#offset - inSegment + this.#segmentSize;
  }

  #close(): void {
    this.#length = 0;
    const manager = this.#head[MANAGER_AT];
    const info = this.#head[16] ?? 0;
    const isLog = manager === LOG_MANAGER;
    if (isLog && (info & 0xf0) === SWITCH) this.#passSegment();
    this.#end = Math.max(aligned(this.#offset), this.#nothingUntil);
    this.#listener.record?.(this.#start, this.#end);
    if (manager === TRANSACTION_MANAGER) this.#closeTransaction(info & 0x70);
    else if (isLog && (info & 0xf0) === RESTORE_POINT) this.#closeMark();
    else if (manager === TABLESPACE_MANAGER && (info & 0xf0) === CREATE_TABLESPACE) this.#closeTablespace();
  }

  #closeTransaction(operation: number): void {
    const isCommit = operation === COMMIT || operation === COMMIT_PREPARED;
    if (!isCommit && operation !== ABORT && operation !== ABORT_PREPARED) return;
    const data = this.#dataAt();
    if (data === undefined) return;
    const wasPrepared = operation === COMMIT_PREPARED || operation === ABORT_PREPARED;
    this.#listener.transaction?.({
      kind: isCommit ? 'commit' : 'abort',
      xid: wasPrepared ? 0 : this.#head.readUInt32LE(4),
      ...this.#timeAndPlace(data),
    });
  }

  #closeMark(): void {
    const data = this.#dataAt();
    if (data === undefined) return;
    this.#listener.mark?.({ name: this.#textAt(data + 8), ...this.#timeAndPlace(data) });
  }

  #closeTablespace(): void {
    const data = this.#dataAt();
    if (data === undefined) return;
    const oid = this.#head.readUInt32LE(data);
    this.#listener.tablespace?.({ oid, path: this.#textAt(data + 4), ...this.#place() });
  }

  #textAt(start: number): string {
    const text = this.#head.subarray(start, this.#headLength);
    const ending = text.indexOf(0);
    return text.toString('utf8', 0, ending === -1 ? text.length : ending);
  }

  #timeAndPlace(data: number): { at: bigint; start: bigint; end: bigint } {
    return { at: this.#head.readBigInt64LE(data) + EPOCH_MICROSECONDS, ...this.#place() };
  }

  #place(): { start: bigint; end: bigint } {
    return { start: this.#from + BigInt(this.#start), end: this.#from + BigInt(this.#end ?? 0) };
  }

  /** Where a record's own data begins, behind the headers of what it carries; undefined when it is not of that shape. */
  #dataAt(): number | undefined {
    for (let at = RECORD_HEADER; at < this.#headLength;) {
      const begins = DATA_BEHIND[this.#head[at] ?? 0];
      if (begins !== undefined) return at + begins + 8 <= this.#headLength ? at + begins : undefined;
      const passed = PASSED[this.#head[at] ?? 0];
      if (passed === undefined) return undefined;
      at += passed;
    }
    return undefined;
  }
}

/** By the first byte of a header: where the data begins behind it (short and long main data). */
const DATA_BEHIND: Readonly<Record<number, number>> = { 255: 2, 254: 5 };
/** Headers that come before it: origin, and top-level transaction. */
const PASSED: Readonly<Record<number, number>> = { 253: 3, 252: 5 };

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}
