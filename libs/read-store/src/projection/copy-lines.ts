const FIRST_CHUNK = 8_192;
const LARGEST_CHUNK = 262_144;

/** Lines for COPY as bytes, outside the heap: millions of them pass through without becoming work for its collector. */
export class CopyLines {
  #full: Buffer[] = [];
  #fullBytes = 0;
  #chunk: Buffer | undefined;
  #used = 0;

  /** Bytes held. */
  get size(): number {
    return this.#fullBytes + this.#used;
  }

  push(line: string): void {
    // A character is at most three bytes for each of its UTF-16 units.
    const most = line.length * 3;
    if (this.#chunk === undefined || this.#chunk.length - this.#used < most) this.#nextChunk(most);
    this.#used += this.#chunk?.write(line, this.#used, 'utf8') ?? 0;
  }

  /** Takes what is held and starts anew. */
  take(): Buffer[] {
    this.#closeChunk();
    const chunks = this.#full;
    this.#full = [];
    this.#fullBytes = 0;
    this.#chunk = undefined;
    return chunks;
  }

  #nextChunk(least: number): void {
    const size = Math.min(LARGEST_CHUNK, Math.max(FIRST_CHUNK, (this.#chunk?.length ?? 0) * 4));
    this.#closeChunk();
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(size, least));
  }

  #closeChunk(): void {
    if (this.#chunk !== undefined && this.#used > 0) {
      this.#full.push(this.#chunk.subarray(0, this.#used));
      this.#fullBytes += this.#used;
    }
    this.#used = 0;
  }
}
