import { ByteBudget } from './byte-budget.ts';

/** Memory for content on its way, of a fixed amount: whoever wants more waits, which is what slows down the reading. */
export class SegmentBuffers {
  private readonly size: number;
  private readonly budget: ByteBudget;
  private readonly spare: ArrayBuffer[] = [];

  /**
   * @param size bytes of an ordinary buffer
   * @param total bytes of all that may be in use
   */
  constructor(size: number, total: number) {
    this.size = size;
    this.budget = new ByteBudget(total);
  }

  /** A buffer of at least so many bytes, in the order of asking. */
  async take(bytes = this.size): Promise<ArrayBuffer> {
    const size = Math.max(bytes, this.size);
    await this.budget.take(size);
    return size === this.size ? (this.spare.pop() ?? new ArrayBuffer(size)) : new ArrayBuffer(size);
  }

  /** An ordinary buffer, if nobody has to wait for it. */
  takeIfFree(): ArrayBuffer | undefined {
    if (!this.budget.takeIfFree(this.size)) return undefined;
    return this.spare.pop() ?? new ArrayBuffer(this.size);
  }

  /** Gives back a buffer of so many bytes; one that was lost with a task that failed is `detached`. */
  give(buffer: ArrayBuffer, bytes: number): void {
    if (!buffer.detached && bytes === this.size) this.spare.push(buffer);
    this.budget.give(bytes);
  }

  /** Nobody gets a buffer any more. */
  fail(error: Error): void {
    this.budget.fail(error);
  }
}
