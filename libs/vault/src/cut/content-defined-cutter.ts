import type { Cutter } from './cutter.ts';

/**
 * Cuts where the content says so (gear hash with normalised sizes, as in FastCDC), so that blocks before and after an
 * insertion stay the same. Blocks are between a quarter and four times the average size.
 *
 * The hash after byte b is `(hash << 1) + gear[b]` modulo 2^32. A block ends after a byte at which the upper bits of
 * the hash are zero: two more of them than the average needs while the block is shorter than the average, two fewer
 * after that.
 */
export class ContentDefinedCutter implements Cutter {
  private readonly gear: Uint32Array;
  private readonly minimum: number;
  private readonly average: number;
  private readonly maximum: number;
  private readonly strict: number;
  private readonly loose: number;
  private buffer: Buffer;
  private start = 0;
  private end_ = 0;
  private scanned = 0;
  private hash = 0;

  /** @param averageSize a power of two */
  constructor(averageSize: number, gear: Uint32Array) {
    const bits = Math.log2(averageSize);
    this.gear = gear;
    this.average = averageSize;
    this.minimum = averageSize / 4;
    this.maximum = averageSize * 4;
    this.strict = -(2 ** (32 - (bits + 2)));
    this.loose = -(2 ** (32 - (bits - 2)));
    this.buffer = Buffer.allocUnsafeSlow(this.maximum * 2);
  }

  /** Length of the block that begins at `start`, once its end is known. */
  private boundary(): number | undefined {
    const { buffer, gear, start, strict, loose } = this;
    const available = Math.min(this.end_ - start, this.maximum);
    let at = Math.max(this.scanned, this.minimum);
    let hash = this.hash;
    const middle = Math.min(available, this.average);
    for (; at < middle; at++) {
      hash = ((hash << 1) + (gear[buffer[start + at] ?? 0] ?? 0)) | 0;
      if ((hash & strict) === 0) return at + 1;
    }
    for (; at < available; at++) {
      hash = ((hash << 1) + (gear[buffer[start + at] ?? 0] ?? 0)) | 0;
      if ((hash & loose) === 0) return at + 1;
    }
    if (available === this.maximum) return available;
    this.scanned = at;
    this.hash = hash;
    return undefined;
  }

  private next(length: number): Uint8Array {
    const block = this.buffer.subarray(this.start, this.start + length);
    this.start += length;
    this.scanned = 0;
    this.hash = 0;
    return block;
  }

  *push(bytes: Uint8Array): Iterable<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      if (this.end_ === this.buffer.length) {
        this.buffer.copyWithin(0, this.start, this.end_);
        this.end_ -= this.start;
        this.start = 0;
      }
      const piece = bytes.subarray(at, at + this.buffer.length - this.end_);
      this.buffer.set(piece, this.end_);
      this.end_ += piece.length;
      at += piece.length;
      for (let length = this.boundary(); length !== undefined; length = this.boundary())
        yield this.next(length);
    }
  }

  *end(): Iterable<Uint8Array> {
    if (this.end_ > this.start) yield this.next(this.end_ - this.start);
  }
}
