/** A stream of log, cut where segments end, up to a position and not a byte further. */
import { formatLsn } from '../wire/lsn.ts';
import type { WalStream } from '../wire/wal-stream.ts';
import { CutFlow } from './cut-flow.ts';

/**
 * With synchronous_commit = off a commit is written a while after it was made, at most three times wal_writer_delay,
 * whose highest value is 10 s: so long ago nothing can have been committed that was not heard of.
 */
export const UNFLUSHED_MICROSECONDS = 30_000_000n;

export class LogFlow {
  readonly #stream: WalStream;
  readonly #target: bigint;
  readonly #flow: CutFlow;
  #quietAt: bigint | undefined;

  constructor(stream: WalStream, from: bigint, target: bigint) {
    this.#stream = stream;
    this.#target = target;
    this.#flow = new CutFlow(stream, from, ({ serverEnd, sentAt }) => {
      if (serverEnd <= target) this.#quietAt = sentAt - UNFLUSHED_MICROSECONDS;
    });
  }

  /** Of the next byte. */
  get position(): bigint {
    return this.#flow.position;
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
    yield* this.#flow.until(stop);
    if (this.position < stop && this.#flow.isOver)
      throw new Error(
        `the log ended at ${formatLsn(this.position)}, before ${formatLsn(this.#target)} that the server had named`,
      );
  }

  /** Ends the stream; what was still on its way is not wanted. */
  async end(): Promise<void> {
    this.#stream.stop();
    await this.#flow.drain();
    await this.#stream.end();
  }
}
