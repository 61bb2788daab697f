/**
 * How records lie in a write-ahead log, as far as it is understood here: PostgreSQL 13 to 18 on little-endian machines
 * (access/xlog_internal.h, access/xlogrecord.h, access/rmgrlist.h, access/xact.h, catalog/pg_control.h).
 */

export const PAGE = 8192;
export const SHORT_HEADER = 24;
export const LONG_HEADER = 40;
export const FIRST_IS_CONTINUED = 0x0001;
export const FLAGS_AT = 2;
export const PAGE_ADDRESS_AT = 8;
export const REMAINING_LENGTH_AT = 16;

export const RECORD_HEADER = 24;
/** Of a record: its header, those of what it carries, a time and a name. */
export const LOOKED_AT = RECORD_HEADER + 3 + 5 + 5 + 8 + 64;
/** Of one that may name a path (at most 1024 bytes). */
export const LOOKED_AT_WITH_PATH = RECORD_HEADER + 3 + 5 + 5 + 4 + 1024;
/** Where a record's header says what it is, and whose. */
export const INFO_AT = 16;
export const MANAGER_AT = 17;

export const LOG_MANAGER = 0;
export const SWITCH = 0x40;
export const PARAMETER_CHANGE = 0x60;
export const RESTORE_POINT = 0x70;

export const TRANSACTION_MANAGER = 1;
/** What a record of a transaction does. */
export const OPERATION = 0x70;
export const COMMIT = 0x00;
export const ABORT = 0x20;
export const COMMIT_PREPARED = 0x30;
export const ABORT_PREPARED = 0x40;

export const TABLESPACE_MANAGER = 5;
export const CREATE_TABLESPACE = 0x00;

/** Between 1970 and 2000, where PostgreSQL's clock begins. */
export const EPOCH_MICROSECONDS = 946_684_800_000_000n;

/** Headers of what a record carries, by their first byte: bytes of one that its own data follows (short and long). */
export const DATA_BEHIND: Readonly<Record<number, number>> = { 255: 2, 254: 5 };
/** Bytes of those that come before it: origin, and top-level transaction. */
export const PASSED: Readonly<Record<number, number>> = { 253: 3, 252: 5 };

/** Where a record's own data begins, behind the headers of what it carries; undefined when it is not of that shape. */
export function dataIn(head: Buffer, length: number): number | undefined {
  for (let at = RECORD_HEADER; at < length;) {
    const begins = DATA_BEHIND[head[at] ?? 0];
    if (begins !== undefined) return at + begins + 8 <= length ? at + begins : undefined;
    const passed = PASSED[head[at] ?? 0];
    if (passed === undefined) return undefined;
    at += passed;
  }
  return undefined;
}

/** Whether a record is the end of a transaction that was prepared before. */
export function endsPrepared(head: Buffer): boolean {
  const operation = (head[INFO_AT] ?? 0) & OPERATION;
  const isPrepared = operation === COMMIT_PREPARED || operation === ABORT_PREPARED;
  return isPrepared && head[MANAGER_AT] === TRANSACTION_MANAGER;
}
