/**
 * Stands before the parser of `pg` and takes copied data out of what the server sends: that parser joins and copies
 * every byte, and a cluster is nothing but copied data. All other messages go on to it as they came.
 */

/** Type and length of a message. */
const HEADER_BYTES = 5;
const COPY_DATA = 0x64;
/** Messages up to this size are given whole: what says what follows is small. */
const WHOLE_UP_TO = 4096;

export interface CopyTaker {
  /**
   * Takes a message, or a part of one that is larger: none of those is put together by copying.
   * @param continues true for what goes on with the message that came last
   * @param left bytes of the message that are still to come
   */
  takeCopied(bytes: Buffer, continues: boolean, left: number): void;
}

export class FrameSplitter {
  readonly #passOn: (bytes: Buffer) => void;
  readonly #taker: () => CopyTaker | undefined;
  /** A header that came in parts. */
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #isCopy = false;
  #left = 0;
  #continues = false;
  /** A message that is put together, and how much of it is there. */
  #whole: Buffer | undefined;
  #wholeBytes = 0;

  /**
   * @param passOn takes everything that is not copied data
   * @param taker whom copied data is for now
   */
  constructor(passOn: (bytes: Buffer) => void, taker: () => CopyTaker | undefined) {
    this.#passOn = passOn;
    this.#taker = taker;
  }

  /** @param chunk what came off the socket; parts of it are given on */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const length = Math.min(this.#left, chunk.length - at);
        this.#give(chunk.subarray(at, at + length));
        at += length;
      } else {
        at = this.#begin(chunk, at);
      }
    }
  }

  /** Reads a header, or as much of it as is there. */
  #begin(chunk: Buffer, at: number): number {
    if (this.#headerBytes === 0 && chunk.length - at >= HEADER_BYTES) {
      const isCopy = this.#announce(chunk, at);
      if (isCopy) return at + HEADER_BYTES;
      this.#left += HEADER_BYTES;
      return at;
    }
    const part = Math.min(HEADER_BYTES - this.#headerBytes, chunk.length - at);
    chunk.copy(this.#header, this.#headerBytes, at, at + part);
    this.#headerBytes += part;
    if (this.#headerBytes === HEADER_BYTES) {
      this.#headerBytes = 0;
      if (!this.#announce(this.#header, 0)) this.#passOn(Buffer.from(this.#header));
    }
    return at + part;
  }

  #announce(header: Buffer, at: number): boolean {
    this.#isCopy = header[at] === COPY_DATA;
    this.#left = header.readUInt32BE(at + 1) - (HEADER_BYTES - 1);
    this.#continues = false;
    return this.#isCopy;
  }

  #give(piece: Buffer): void {
    this.#left -= piece.length;
    if (!this.#isCopy) return this.#passOn(piece);
    const taker = this.#taker();
    if (taker === undefined) return;
    if (this.#whole !== undefined) return this.#join(piece, this.#whole, taker);
    const size = piece.length + this.#left;
    if (this.#left > 0 && !this.#continues && size <= WHOLE_UP_TO) {
      this.#whole = Buffer.allocUnsafe(size);
      this.#wholeBytes = 0;
      return this.#join(piece, this.#whole, taker);
    }
    taker.takeCopied(piece, this.#continues, this.#left);
    this.#continues = true;
  }

  #join(piece: Buffer, whole: Buffer, taker: CopyTaker): void {
    piece.copy(whole, this.#wholeBytes);
    this.#wholeBytes += piece.length;
    if (this.#left > 0) return;
    this.#whole = undefined;
    taker.takeCopied(whole, false, 0);
  }
}
