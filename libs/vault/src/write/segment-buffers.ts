import { ByteBudget } from './byte-budget.ts';
import { SharedMemory } from './shared-memory.ts';

/**
 * Memory for content on its way, of a fixed amount: whoever wants more waits, which is what slows down the reading. All
 * threads share it. Were it handed from one to the other, each would count it as new and collect its garbage for that.
 */
export class SegmentBuffers {
  private readonly size: number;
  private readonly total: number;
  private readonly memory: SharedMemory;
  private readonly budget: ByteBudget;
  /**
   * What this backup has used: it goes to others at the end alone. A thread that is ended in the middle of a task may
   * still write to the task's memory, and would write into their content.
   */
  private readonly used: SharedMemory;

  /**
   * @param size bytes of an ordinary buffer
   * @param total bytes of all that may be in use
   * @param memory where they come from and go to
   */
  constructor(size: number, total: number, memory: SharedMemory) {
    this.size = size;
    this.total = total;
    this.memory = memory;
    this.budget = new ByteBudget(total);
    this.used = new SharedMemory(total);
  }

  /** A buffer of at least so many bytes, in the order of asking. */
  async take(bytes = this.size): Promise<SharedArrayBuffer> {
    const size = Math.max(bytes, this.size);
    await this.budget.take(size);
    return this.buffer(size);
  }

  /** An ordinary buffer, if nobody has to wait for it. */
  takeIfFree(): SharedArrayBuffer | undefined {
    return this.budget.takeIfFree(this.size) ? this.buffer(this.size) : undefined;
  }

  private buffer(size: number): SharedArrayBuffer {
    return this.used.takeIfKept(size) ?? this.memory.take(size);
  }

  give(buffer: SharedArrayBuffer): void {
    this.used.give(buffer);
    this.budget.give(Math.min(buffer.byteLength, this.total));
  }

  /** Nobody needs one any more, and no task is under way: to be called when all went well alone. */
  end(): void {
    for (const buffer of this.used.clear()) this.memory.give(buffer);
  }

  /** Nobody gets a buffer any more. */
  fail(error: Error): void {
    this.budget.fail(error);
  }
}
