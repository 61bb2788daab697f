/** What one piece of memory holds: some hundred small files. */
const pieceSize = 1024 * 1024;
/** Pieces nobody has a file in that are kept. */
const mostSpare = 8;

interface Piece {
  readonly memory: Buffer;
  /** Files in it that are still needed. */
  files: number;
}

/** Memory of one file. */
export interface TakenMemory {
  /** Holds anything at first. */
  readonly bytes: Buffer;
  /** To be called once, when nobody looks at the bytes any more. */
  readonly giveBack: () => void;
}

/**
 * Memory for the content of small files, many in one piece: memory of its own for each would cost more than reading it. A
 * piece that nobody has a file in any more is used again, and not left to the collector, which would let many pile up.
 */
export class SmallMemory {
  readonly #spare: Buffer[] = [];
  #piece: Piece | undefined;
  #used = 0;

  /** So many bytes that nobody else has; at most the size of a piece. */
  take(bytes: number): TakenMemory {
    if (this.#piece === undefined || this.#used + bytes > pieceSize) this.#begin();
    const piece = this.#piece as unknown as Piece;
    const taken = piece.memory.subarray(this.#used, this.#used + bytes);
    this.#used += bytes;
    piece.files += 1;
    return {
      bytes: taken,
      giveBack: () => {
        piece.files -= 1;
        if (piece.files === 0 && piece !== this.#piece) this.#keep(piece.memory);
      },
    };
  }

  #begin(): void {
    const full = this.#piece;
    if (full?.files === 0) this.#keep(full.memory);
    this.#piece = { memory: this.#spare.pop() ?? Buffer.allocUnsafeSlow(pieceSize), files: 0 };
    this.#used = 0;
  }

  #keep(memory: Buffer): void {
    if (this.#spare.length < mostSpare) this.#spare.push(memory);
  }
}
