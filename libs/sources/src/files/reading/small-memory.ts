/** What one piece of memory holds: some hundred small files. */
const pieceSize = 1024 * 1024;

/**
 * Memory for the content of small files, many in one piece: memory of its own for each would cost more than reading it.
 * A piece is freed when nobody has a file in it any more.
 */
export class SmallMemory {
  #piece = Buffer.alloc(0);
  #used = 0;

  /** So many bytes that nobody else has; at most the size of a piece. They hold anything. */
  take(bytes: number): Buffer {
    if (this.#used + bytes > this.#piece.length) {
      this.#piece = Buffer.allocUnsafeSlow(pieceSize);
      this.#used = 0;
    }
    const taken = this.#piece.subarray(this.#used, this.#used + bytes);
    this.#used += bytes;
    return taken;
  }
}
