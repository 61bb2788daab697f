/** START_REPLICATION: the write-ahead log as it is written, and what we say of how far it is safe with us. */
import type { Command } from './command.ts';
import type { ReplicationConnection } from './connection.ts';
import { formatLsn, parseLsn } from './lsn.ts';
import { quoted } from './slots.ts';

export interface WalStreamOptions {
  readonly position: bigint;
  readonly timeline: number;
  /** Holds back what was not reported as flushed; without it only what the server happens to keep is there. */
  readonly slot?: string;
  /** How often the server hears from us; well below its wal_sender_timeout. 10 s by default. */
  readonly statusMilliseconds?: number;
}

/** A piece of log without a gap to the one before. */
export interface WalPiece {
  readonly position: bigint;
  /** Valid until the next is asked for. */
  readonly bytes: Buffer;
  /** How far the server's log went when it sent this. */
  readonly serverEnd: bigint;
  /** When, on the server's clock, in microseconds since 1970. */
  readonly sentAt: bigint;
}

/** Where a timeline that ended goes on. */
export interface NextTimeline {
  readonly timeline: number;
  readonly position: bigint;
}

const WAL_DATA = 0x77;
const KEEP_ALIVE = 0x6b;
const STATUS = 0x72;
const STATUS_MILLISECONDS = 10_000;
/** Microseconds between 1970 and 2000, where PostgreSQL's clock begins. */
const EPOCH_MICROSECONDS = 946_684_800_000_000n;

/**
 * One timeline's log. The server ends a connection that it does not hear from, so statuses are sent by a timer, also
 * while the reader is busy with a piece.
 */
export class WalStream {
  readonly #connection: ReplicationConnection;
  readonly #command: Command;
  readonly #timer: NodeJS.Timeout;
  #written: bigint;
  #flushed: bigint;
  #serverEnd: bigint;
  #heardAt: bigint | undefined;
  #isOpen = true;
  #hasNothing = false;

  private constructor(connection: ReplicationConnection, command: Command, options: WalStreamOptions) {
    this.#connection = connection;
    this.#command = command;
    this.#written = options.position;
    // Nothing before the start is claimed to be safe; the slot stands there already.
    this.#flushed = options.position;
    this.#serverEnd = options.position;
    this.#timer = setInterval(
      () => this.#sendStatus(true),
      options.statusMilliseconds ?? STATUS_MILLISECONDS,
    );
  }

  /** The server begins at the position that is asked for; ask for the start of a segment. */
  static async begin(connection: ReplicationConnection, options: WalStreamOptions): Promise<WalStream> {
    const { position, timeline, slot } = options;
    const from = slot === undefined ? '' : `SLOT ${quoted(slot)} `;
    const command = connection.begin(
      `START_REPLICATION ${from}PHYSICAL ${formatLsn(position)} TIMELINE ${timeline}`,
    );
    // `none`: the timeline ended exactly where we wanted to begin.
    const direction = await connection.flowing(command);
    const stream = new WalStream(connection, command, options);
    if (direction === 'none') {
      stream.#hasNothing = true;
      stream.#close();
    }
    return stream;
  }

  /** How far the server's log went when it was last heard of. */
  get serverEnd(): bigint {
    return this.#serverEnd;
  }

  /** When it was last heard of, on the server's clock, in microseconds since 1970. */
  get heardAt(): bigint | undefined {
    return this.#heardAt;
  }

  /** The log, until the timeline ends, `stop` is called or the connection is lost (which throws). */
  async *pieces(): AsyncGenerator<WalPiece, void, void> {
    if (this.#hasNothing) return;
    try {
      for await (const arrival of this.#command.inflow) {
        if (arrival.kind !== 'data') continue;
        const piece = this.#received(arrival.bytes);
        if (piece !== undefined) yield piece;
      }
    } catch (error) {
      throw this.#connection.failureOf(error, this.#command);
    } finally {
      clearInterval(this.#timer);
    }
  }

  /** Says that everything before this is durable with us; a slot then lets go of it. Never call it earlier. */
  reportFlushed(position: bigint): void {
    if (position > this.#flushed) this.#flushed = position;
    this.#sendStatus();
  }

  /** Asks the server to end; `pieces` then runs out, with what was on its way still given. */
  stop(): void {
    if (!this.#isOpen) return;
    this.#sendStatus();
    this.#close();
    this.#command.wire.endCopyFrom();
  }

  /** When `pieces` has run out: where the log goes on, if the timeline ended. The connection is free again then. */
  async end(): Promise<NextTimeline | undefined> {
    if (this.#isOpen) this.stop();
    const { resultSets } = await this.#connection.completed(this.#command);
    const row = resultSets[0]?.[0];
    const timeline = row?.['next_tli'];
    const position = row?.['next_tli_startpos'];
    if (typeof timeline !== 'string' || typeof position !== 'string') return undefined;
    return { timeline: Number(timeline), position: parseLsn(position) };
  }

  #received(message: Buffer): WalPiece | undefined {
    switch (message[0]) {
      case WAL_DATA: {
        const position = message.readBigUInt64BE(1);
        const bytes = message.subarray(25);
        if (position !== this.#written) {
          throw new Error(
            `the log continues at ${formatLsn(position)} and not at ${formatLsn(this.#written)}: a piece is missing`,
          );
        }
        this.#written = position + BigInt(bytes.length);
        this.#serverEnd = message.readBigUInt64BE(9);
        const sentAt = message.readBigInt64BE(17) + EPOCH_MICROSECONDS;
        this.#heardAt = sentAt;
        return { position, bytes, serverEnd: this.#serverEnd, sentAt };
      }
      case KEEP_ALIVE:
        this.#serverEnd = message.readBigUInt64BE(1);
        this.#heardAt = message.readBigInt64BE(9) + EPOCH_MICROSECONDS;
        if (message[17] === 1) this.#sendStatus();
        return undefined;
      default:
        throw new Error(`the server sent a message of an unknown kind (${message[0] ?? 'empty'}) in its log`);
    }
  }

  /** @param wantsReply makes an idle server speak, so that a dead one is noticed */
  #sendStatus(wantsReply = false): void {
    if (!this.#isOpen) return;
    const now = BigInt(Date.now()) * 1000n;
    this.#command.wire.sendCopyFromChunk(encodeStatus(this.#written, this.#flushed, now, wantsReply));
  }

  #close(): void {
    this.#isOpen = false;
    clearInterval(this.#timer);
  }
}

/** A standby status message: what was received, what is durable, and that nothing is replayed here. */
export function encodeStatus(
  written: bigint,
  flushed: bigint,
  microsecondsSince1970: bigint,
  wantsReply: boolean,
): Buffer {
  const message = Buffer.alloc(34);
  message[0] = STATUS;
  message.writeBigUInt64BE(written, 1);
  message.writeBigUInt64BE(flushed, 9);
  message.writeBigUInt64BE(0n, 17);
  message.writeBigInt64BE(microsecondsSince1970 - EPOCH_MICROSECONDS, 25);
  message[33] = wantsReply ? 1 : 0;
  return message;
}
