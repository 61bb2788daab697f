/** A fixed number of bytes that may be in use; whoever wants more waits, first come, first served. */
export class ByteBudget {
  private readonly total: number;
  private free: number;
  private readonly waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  private failure: Error | undefined;

  constructor(total: number) {
    this.total = total;
    this.free = total;
  }

  /** @returns what to give back. What is more than there ever is waits until all of it is free. */
  async take(bytes: number): Promise<number> {
    this.throwIfFailed();
    const taken = Math.min(bytes, this.total);
    if (this.waiting.length > 0 || this.free < taken)
      await new Promise<void>((go) => this.waiting.push({ bytes: taken, go }));
    else this.free -= taken;
    this.throwIfFailed();
    return taken;
  }

  /** Takes them if nobody has to wait for it. */
  takeIfFree(bytes: number): boolean {
    this.throwIfFailed();
    if (this.waiting.length > 0 || this.free < bytes) return false;
    this.free -= bytes;
    return true;
  }

  private throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  give(bytes: number): void {
    this.free += bytes;
    for (let next = this.waiting[0]; next !== undefined && this.free >= next.bytes; next = this.waiting[0]) {
      this.waiting.shift();
      this.free -= next.bytes;
      next.go();
    }
  }

  /** Nobody gets anything any more. */
  fail(error: Error): void {
    this.failure ??= error;
    for (const { go } of this.waiting.splice(0)) go();
  }
}
