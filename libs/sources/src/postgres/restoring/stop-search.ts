/**
 * Finds, in the log that is rolled on top of a data backup, where recovery must end. The server finds it by itself; that
 * it is known before means that what the server would get wrong in silence is refused, and that what it reached can be
 * compared with what was planned.
 */
import type { RestoreStop } from '@catena/events';
import { RestoreError } from '../../port/restore-error.ts';
import type { ChangedSettings, LogMark, MadeTablespace, TransactionEnd } from '../log/record-listener.ts';
import { RecordWalk } from '../log/record-walk.ts';
import { formatLsn } from '../wire/lsn.ts';
import { microsecondsOf } from './moment.ts';

/** The data backup that the log is rolled on top of. */
export interface SearchBase {
  readonly backup: string;
  /** Where its recovery begins. */
  readonly start: bigint;
  /** From where on it is consistent. */
  readonly end: bigint;
  /** The time it shows the cluster at: microseconds since 1970. */
  readonly asOf: bigint;
}

export interface FoundStop {
  /** False: at the end of the log, so that the server is to be told nothing. */
  readonly isInside: boolean;
  /** End of the last record that recovery applies; undefined where there is none. */
  readonly position: bigint | undefined;
  /** A mark of that name is there before the one that is meant, and the server would take that one. */
  readonly hasNamesake: boolean;
  /** Tablespaces that recovery creates on the way. */
  readonly tablespaces: readonly MadeTablespace[];
  /** With what other settings the server was started on the way. */
  readonly settings: readonly ChangedSettings[];
}

/** A segment of the log. */
export interface SegmentPlace {
  readonly timeline: number;
  readonly start: bigint;
  readonly segmentSize: bigint;
}

export class StopSearch {
  readonly #stop: RestoreStop | undefined;
  readonly #base: SearchBase;
  readonly #time: bigint | undefined;
  readonly #position: bigint | undefined;
  readonly #transaction: number | undefined;
  #walk: RecordWalk | undefined;
  #timeline = 0;
  /** End of the last record, and of the one before it. */
  #end: bigint | undefined;
  #before: bigint | undefined;
  #isRepeated = false;
  #found: bigint | undefined;
  #hasNamesake = false;
  readonly #tablespaces: MadeTablespace[] = [];
  readonly #settings: ChangedSettings[] = [];

  constructor(stop: RestoreStop | undefined, base: SearchBase) {
    this.#stop = stop;
    this.#base = base;
    this.#time = stop !== undefined && 'at' in stop ? microsecondsOf(stop.at) : undefined;
    this.#position = stop !== undefined && 'position' in stop ? BigInt(stop.position) : undefined;
    this.#transaction =
      stop !== undefined && 'transaction' in stop
        ? Number(BigInt(stop.transaction) % 0x100000000n)
        : undefined;
  }

  /**
   * Takes in what follows of the log. Segments of a timeline come in order, those of a newer timeline after those of an older.
   * @param at position of the first byte
   */
  push({ timeline, start, segmentSize }: SegmentPlace, at: bigint, bytes: Uint8Array): void {
    if (this.#walk === undefined || timeline !== this.#timeline || at !== this.#walk.position) {
      this.#timeline = timeline;
      this.#walk = new RecordWalk(start, segmentSize, {
        record: (from, to) => this.#record(start + BigInt(from), start + BigInt(to)),
        transaction: (one) => this.#transactionEnded(one),
        mark: (one) => this.#markSet(one),
        tablespace: (one) => this.#tablespaceMade(one),
        settings: (changed) => this.#settings.push(changed),
      });
    }
    this.#walk.push(bytes);
  }

  /** @throws RestoreError `restore.stopNotFound`, `restore.stopBeforeBackup`. */
  found(): FoundStop {
    const common = {
      hasNamesake: this.#hasNamesake,
      tablespaces: this.#tablespaces.filter(({ start }) => this.#found === undefined || start < this.#found),
      settings: this.#settings,
    };
    if (this.#time !== undefined && this.#time < this.#base.asOf) throw this.#tooEarly();
    if (this.#found !== undefined) {
      if (this.#found < this.#base.end) throw this.#tooEarly();
      // By its position a server finds the last record of the log only where another follows.
      const isInside = !this.#hasNamesake || this.#found !== this.#end;
      return { isInside, position: this.#found, ...common };
    }
    if (this.#stop !== undefined && ('mark' in this.#stop || 'transaction' in this.#stop))
      throw this.#notThere();
    return { isInside: false, position: this.#end, ...common };
  }

  #record(start: bigint, end: bigint): void {
    // A newer timeline begins with a copy of what the older one has.
    this.#isRepeated = this.#end !== undefined && end <= this.#end;
    if (this.#isRepeated) return;
    if (this.#position !== undefined && start >= this.#position) this.#found ??= this.#end ?? start;
    this.#before = this.#end ?? start;
    this.#end = end;
  }

  #transactionEnded({ xid, at, start, end }: TransactionEnd): void {
    if (this.#isRepeated || start < this.#base.start) return;
    if (this.#transaction !== undefined && xid === this.#transaction) this.#found ??= end;
    if (this.#time !== undefined && at > this.#time) this.#found ??= this.#before;
  }

  #markSet({ name, start, end }: LogMark): void {
    if (this.#isRepeated || start < this.#base.start) return;
    if (this.#stop === undefined || !('mark' in this.#stop) || this.#stop.mark !== name) return;
    this.#hasNamesake ||= end < this.#base.end || this.#found !== undefined;
    if (end >= this.#base.end) this.#found = end;
  }

  #tablespaceMade(made: MadeTablespace): void {
    if (!this.#isRepeated && made.start >= this.#base.start) this.#tablespaces.push(made);
  }

  #tooEarly(): RestoreError {
    return new RestoreError(
      'restore.stopBeforeBackup',
      `What was asked for (${stopInWords(this.#stop)}) lies before ${formatLsn(this.#base.end)}, where the backup ${this.#base.backup} becomes consistent.`,
      { remedy: 'Name an earlier data backup with --backup.', details: { backup: this.#base.backup } },
    );
  }

  #notThere(): RestoreError {
    const from = formatLsn(this.#base.end);
    const to = this.#end === undefined ? 'there' : formatLsn(this.#end);
    return new RestoreError(
      'restore.stopNotFound',
      `The log from ${from}, where the backup ${this.#base.backup} ends, to ${to} does not hold ${stopInWords(this.#stop)}.`,
      {
        remedy:
          'If it is older than that backup, name an earlier one with --backup; if it is newer, back up the log first.',
        details: { backup: this.#base.backup },
      },
    );
  }
}

/** A stop as a person reads it. */
export function stopInWords(stop: RestoreStop | undefined): string {
  if (stop === undefined) return 'the end of the log';
  if ('at' in stop) return `the time ${stop.at}`;
  if ('position' in stop) return `the position ${formatLsn(BigInt(stop.position))}`;
  return 'mark' in stop ? `the mark '${stop.mark}'` : `the transaction ${stop.transaction}`;
}
