/**
 * Memory that threads share. What is not needed any more is kept for whoever needs as much next: until a collector in each
 * thread has seen that nobody has it, it would be missing, and none of them knows how large it is.
 */
export class SharedMemory {
  private readonly most: number;
  private free: SharedArrayBuffer[] = [];
  /** Bytes that are kept. */
  kept = 0;

  /** @param most bytes that are kept */
  constructor(most: number) {
    this.most = most;
  }

  /** So many bytes; they hold anything. */
  take(bytes: number): SharedArrayBuffer {
    return this.takeIfKept(bytes) ?? new SharedArrayBuffer(bytes);
  }

  takeIfKept(bytes: number): SharedArrayBuffer | undefined {
    const at = this.free.findLastIndex(({ byteLength }) => byteLength === bytes);
    const [found] = at < 0 ? [] : this.free.splice(at, 1);
    if (found !== undefined) this.kept -= bytes;
    return found;
  }

  /** Memory that no thread looks at any more. */
  give(memory: SharedArrayBuffer): void {
    if (this.kept + memory.byteLength > this.most) return;
    this.free.push(memory);
    this.kept += memory.byteLength;
  }

  /** Keeps nothing any more. @returns what was kept */
  clear(): SharedArrayBuffer[] {
    const { free } = this;
    this.free = [];
    this.kept = 0;
    return free;
  }
}
