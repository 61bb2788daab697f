/** Stands between two copies of one command. Empty chunks are no sign of that: servers before 15 send some. */
export const BOUNDARY: Buffer = Buffer.alloc(0);

/** The socket, as far as it is needed to hold the server back. */
export interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/** Above this the server is held back, and below the lower mark it is let go on. */
const HIGH_BYTES = 2 * 1024 * 1024;
const LOW_BYTES = 1024 * 1024;

/**
 * What arrived and was not taken yet. Bounded: `pg` by itself would read as fast as the server sends, whatever the
 * reader does. What comes after a pause (one read of the socket at most) is still accepted.
 */
export class Inflow implements AsyncIterableIterator<Buffer> {
  readonly #source: Pausable;
  readonly #chunks: Buffer[] = [];
  /** Those of them that go on with the message before. */
  readonly #continuing = new WeakSet<Buffer>();
  #next = 0;
  #bytes = 0;
  #paused = false;
  #ended = false;
  #failure: { error: unknown } | undefined;
  #waiting: PromiseWithResolvers<undefined> | undefined;

  constructor(source: Pausable) {
    this.#source = source;
  }

  /** True while nobody can expect the server to send: it was asked to wait. */
  get isHeldBack(): boolean {
    return this.#paused;
  }

  /**
   * Takes over a chunk, which nobody writes to again.
   * @param continues whether it goes on with the message that came last
   */
  push(chunk: Buffer, continues = false): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    if (continues) this.#continuing.add(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= HIGH_BYTES && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
    this.#wake();
  }

  /** Whether a chunk goes on with the message that came before it. */
  continues(chunk: Buffer): boolean {
    return this.#continuing.has(chunk);
  }

  /** Says that what follows is another copy. */
  mark(): void {
    this.#chunks.push(BOUNDARY);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** What arrived before is still given out. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#failure ??= { error };
    this.#wake();
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    for (;;) {
      const chunk = this.take();
      if (chunk !== undefined) return { done: false, value: chunk };
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return { done: true, value: undefined };
      this.#waiting = Promise.withResolvers<undefined>();
      await this.#waiting.promise;
    }
  }

  /** The next chunk if one is there already. */
  take(): Buffer | undefined {
    const chunk = this.#chunks[this.#next];
    if (chunk === undefined) return undefined;
    this.#next += 1;
    if (this.#next === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#next = 0;
    }
    this.#bytes -= chunk.length;
    if (this.#paused && this.#bytes <= LOW_BYTES) {
      this.#paused = false;
      this.#source.resume();
    }
    return chunk;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #wake(): void {
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }
}
