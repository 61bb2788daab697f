/** The pieces of a stream of log, cut where whoever reads wants them cut, and not a byte is lost between. */
import type { WalPiece, WalStream } from '../wire/wal-stream.ts';

export class CutFlow {
  readonly #pieces: AsyncGenerator<WalPiece, void, void>;
  readonly #came: (piece: WalPiece) => void;
  #left: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  /** Of the next byte. */
  position: bigint;

  /**
   * @param from where the stream begins
   * @param came is told of each piece before any of it is given
   */
  constructor(stream: WalStream, from: bigint, came: (piece: WalPiece) => void) {
    this.#pieces = stream.pieces();
    this.position = from;
    this.#came = came;
  }

  /** Whether the stream has ended and all of it was given. */
  get isOver(): boolean {
    return this.#hasEnded && this.#left.length === 0;
  }

  /** What comes before a position, as it comes in; less when the stream ends before. */
  async *until(end: bigint): AsyncGenerator<Buffer, void, void> {
    while (this.position < end) {
      if (this.#left.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) {
          this.#hasEnded = true;
          return;
        }
        this.#came(next.value);
        this.#left = next.value.bytes;
        continue;
      }
      const length = Math.min(this.#left.length, Number(end - this.position));
      const part = this.#left.subarray(0, length);
      this.#left = this.#left.subarray(length);
      this.position += BigInt(length);
      yield part;
    }
  }

  /** Lets what is still on its way go by. */
  async drain(): Promise<void> {
    while ((await this.#pieces.next()).done !== true);
  }
}
