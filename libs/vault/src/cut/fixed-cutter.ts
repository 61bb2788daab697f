import type { Cutter } from './cutter.ts';

/** Blocks of one size; only the last is shorter. */
export class FixedCutter implements Cutter {
  private readonly blockSize: number;
  private readonly rest: Buffer;
  private restLength = 0;

  constructor(blockSize: number) {
    this.blockSize = blockSize;
    this.rest = Buffer.allocUnsafeSlow(blockSize);
  }

  *push(bytes: Uint8Array): Iterable<Uint8Array> {
    let at = 0;
    if (this.restLength > 0) {
      at = Math.min(this.blockSize - this.restLength, bytes.length);
      this.rest.set(bytes.subarray(0, at), this.restLength);
      this.restLength += at;
      if (this.restLength < this.blockSize) return;
      this.restLength = 0;
      yield this.rest;
    }
    for (; at + this.blockSize <= bytes.length; at += this.blockSize)
      yield bytes.subarray(at, at + this.blockSize);
    this.rest.set(bytes.subarray(at), 0);
    this.restLength = bytes.length - at;
  }

  *end(): Iterable<Uint8Array> {
    if (this.restLength > 0) yield this.rest.subarray(0, this.restLength);
    this.restLength = 0;
  }
}
