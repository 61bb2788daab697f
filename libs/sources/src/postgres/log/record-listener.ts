/** What a walk through a log tells of. Positions are those of records: where one begins, and where the next may begin. */
import type { RecoverySetting } from '../cluster/recovery-settings.ts';

/** A transaction that ended. */
export interface TransactionEnd {
  readonly kind: 'commit' | 'abort';
  /** 32 bits; of one that was prepared before its own, not that of the record. */
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

/** Settings of a server that started with others than before: who replays that must have them as large. */
export type ChangedSettings = Readonly<Record<RecoverySetting, number>>;

export interface RecordListener {
  transaction?(ended: TransactionEnd): void;
  mark?(mark: LogMark): void;
  tablespace?(made: MadeTablespace): void;
  settings?(changed: ChangedSettings): void;
  /** Every record, in bytes from where the walk began. */
  record?(start: number, end: number): void;
}
