/** A stream of log, cut where segments end, up to a position and not a byte further. */
import { formatLsn } from '../wire/lsn.ts';
import type { WalPiece, WalStream } from '../wire/wal-stream.ts';

/**
 * With synchronous_commit = off a commit is written a while after it was made, at most three times wal_writer_delay,
 * whose highest value is 10 s: so long ago nothing can have been committed that was not heard of.
 */
export const UNFLUSHED_MICROSECONDS = 30_000_000n;

export class LogFlow {
  readonly #stream: WalStream;
  readonly #target: bigint;
  readonly #pieces: AsyncGenerator<WalPiece, void, void>;
  #left: Buffer = Buffer.alloc(0);
  #quietAt: bigint | undefined;
  /** Of the next byte. */
  position: bigint;

  constructor(stream: WalStream, from: bigint, target: bigint) {
    this.#stream = stream;
    this.#pieces = stream.pieces();
    this.position = from;
    this.#target = target;
  }

  get isOver(): boolean {
    return this.position >= this.#target;
  }

  /** Until when nothing was committed beyond the target, in microseconds since 1970; undefined if that is not known. */
  get quietAt(): bigint | undefined {
    return this.#quietAt;
  }

  /** What comes before the position, and before the target. */
  async *until(end: bigint): AsyncGenerator<Buffer, void, void> {
    const stop = end < this.#target ? end : this.#target;
    while (this.position < stop) {
      if (this.#left.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true)
          throw new Error(
            `the log ended at ${formatLsn(this.position)}, before ${formatLsn(this.#target)} that the server had named`,
          );
        const { bytes, serverEnd, sentAt } = next.value;
        this.#left = bytes;
        if (serverEnd <= this.#target) this.#quietAt = sentAt - UNFLUSHED_MICROSECONDS;
        continue;
      }
      const length = Math.min(this.#left.length, Number(stop - this.position));
      const part = this.#left.subarray(0, length);
      this.#left = this.#left.subarray(length);
      this.position += BigInt(length);
      yield part;
    }
  }

  /** Ends the stream; what was still on its way is not wanted. */
  async end(): Promise<void> {
    this.#stream.stop();
    while ((await this.#pieces.next()).done !== true);
    await this.#stream.end();
  }
}
