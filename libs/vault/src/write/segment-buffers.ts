import { ByteBudget } from './byte-budget.ts';

/**
 * Memory for content on its way, of a fixed amount: whoever wants more waits, which is what slows down the reading. All
 * threads share it. Were it handed from one to the other, each would count it as new and collect its garbage for that.
 */
export class SegmentBuffers {
  private readonly size: number;
  private readonly total: number;
  private readonly budget: ByteBudget;
  private readonly spare: SharedArrayBuffer[] = [];

  /**
   * @param size bytes of an ordinary buffer
   * @param total bytes of all that may be in use
   */
  constructor(size: number, total: number) {
    this.size = size;
    this.total = total;
    this.budget = new ByteBudget(total);
  }

  /** A buffer of at least so many bytes, in the order of asking. */
  async take(bytes = this.size): Promise<SharedArrayBuffer> {
    const size = Math.max(bytes, this.size);
    await this.budget.take(size);
    return size === this.size
      ? (this.spare.pop() ?? new SharedArrayBuffer(size))
      : new SharedArrayBuffer(size);
  }

  /** An ordinary buffer, if nobody has to wait for it. */
  takeIfFree(): SharedArrayBuffer | undefined {
    if (!this.budget.takeIfFree(this.size)) return undefined;
    return this.spare.pop() ?? new SharedArrayBuffer(this.size);
  }

  give(buffer: SharedArrayBuffer): void {
    if (buffer.byteLength === this.size) this.spare.push(buffer);
    this.budget.give(Math.min(buffer.byteLength, this.total));
  }

  /** Nobody gets a buffer any more. */
  fail(error: Error): void {
    this.budget.fail(error);
  }
}
