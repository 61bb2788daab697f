/**
 * Walks through the records of a write-ahead log that flows past. Only what is needed to know where transactions end is
 * understood: page headers, record headers, and the few kinds of record that carry a time or that a copy must know of.
 */
import type { RecordListener } from './record-listener.ts';
import { PreparedNumber } from './prepared-number.ts';
import {
  ABORT,
  ABORT_PREPARED,
  COMMIT,
  COMMIT_PREPARED,
  CREATE_TABLESPACE,
  dataIn,
  endsPrepared,
  EPOCH_MICROSECONDS,
  FIRST_IS_CONTINUED,
  FLAGS_AT,
  INFO_AT,
  LOG_MANAGER,
  LONG_HEADER,
  LOOKED_AT,
  LOOKED_AT_WITH_PATH,
  MANAGER_AT,
  OPERATION,
  PAGE,
  PAGE_ADDRESS_AT,
  PARAMETER_CHANGE,
  RECORD_HEADER,
  REMAINING_LENGTH_AT,
  RESTORE_POINT,
  SHORT_HEADER,
  SWITCH,
  TABLESPACE_MANAGER,
  TRANSACTION_MANAGER,
} from './record-layout.ts';

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
  /** What tells the version of the server. */
  #magic = 0;
  /** Of the record that is being read, when it ends a prepared transaction. */
  #prepared: PreparedNumber | undefined;
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
    this.#magic = this.#header.readUInt16LE(0);
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
      this.#prepared = undefined;
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
    if (this.#taken + length > RECORD_HEADER) this.#readPrepared(chunk, at, length);
    this.#taken += length;
    this.#offset += length;
    return length;
  }

  /** Behind its header the record is read on for a number that may lie anywhere in it. */
  #readPrepared(chunk: Buffer, at: number, length: number): void {
    const header = Math.max(0, RECORD_HEADER - this.#taken);
    if (this.#taken <= RECORD_HEADER && endsPrepared(this.#head))
      this.#prepared = new PreparedNumber(this.#magic);
    this.#prepared?.push(chunk.subarray(at + header, at + length));
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
    const info = this.#head[INFO_AT] ?? 0;
    const isLog = manager === LOG_MANAGER;
    if (isLog && (info & 0xf0) === SWITCH) this.#passSegment();
    this.#end = Math.max(aligned(this.#offset), this.#nothingUntil);
    this.#listener.record?.(this.#start, this.#end);
    if (manager === TRANSACTION_MANAGER) this.#closeTransaction(info & OPERATION);
    else if (isLog && (info & 0xf0) === RESTORE_POINT) this.#closeMark();
    else if (isLog && (info & 0xf0) === PARAMETER_CHANGE) this.#closeSettings();
    else if (manager === TABLESPACE_MANAGER && (info & 0xf0) === CREATE_TABLESPACE) this.#closeTablespace();
  }

  #closeTransaction(operation: number): void {
    const isCommit = operation === COMMIT || operation === COMMIT_PREPARED;
    if (!isCommit && operation !== ABORT && operation !== ABORT_PREPARED) return;
    const data = dataIn(this.#head, this.#headLength);
    if (data === undefined) return;
    const xid = this.#prepared === undefined ? this.#head.readUInt32LE(4) : this.#prepared.value;
    if (xid === undefined) return;
    this.#listener.transaction?.({ kind: isCommit ? 'commit' : 'abort', xid, ...this.#timeAndPlace(data) });
  }

  #closeMark(): void {
    const data = dataIn(this.#head, this.#headLength);
    if (data === undefined) return;
    this.#listener.mark?.({ name: this.#textAt(data + 8), ...this.#timeAndPlace(data) });
  }

  #closeSettings(): void {
    const data = dataIn(this.#head, this.#headLength);
    if (data === undefined) return;
    const number = (index: number) => this.#head.readInt32LE(data + 4 * index);
    this.#listener.settings?.({
      max_connections: number(0),
      max_worker_processes: number(1),
      max_wal_senders: number(2),
      max_prepared_transactions: number(3),
      max_locks_per_transaction: number(4),
    });
  }

  #closeTablespace(): void {
    const data = dataIn(this.#head, this.#headLength);
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
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}
