/** What arrived of the data of a command and was not taken yet. */

export type Arrival =
  | { readonly kind: 'data'; readonly bytes: Buffer }
  /** What is no data: says what follows, or how things are. */
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** Stands between two copies of one command. */
  | { readonly kind: 'boundary' };

/** Where it waits. */
export interface Arrivals {
  /** Bytes that wait. */
  readonly bytes: number;
  /**
   * @param continues whether it goes on with the message that came last
   * @param left bytes of the message that are still to come
   */
  push(bytes: Buffer, continues: boolean, left: number): void;
  /** Says that what follows is another copy. */
  mark?(): void;
  take(): Arrival | undefined;
}

/** The socket, as far as it is needed to hold the server back. */
export interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

/** Above this the server is held back, and below the lower mark it is let go on. */
const HIGH_BYTES = 1024 * 1024;
const LOW_BYTES = 512 * 1024;

/**
 * Bounded: `pg` by itself would read as fast as the server sends, whatever the reader does. What comes after a pause
 * (one read of the socket at most) is still accepted.
 */
export class Inflow implements AsyncIterableIterator<Arrival> {
  readonly #source: Pausable;
  readonly #arrivals: Arrivals;
  #paused = false;
  #ended = false;
  #failure: { error: unknown } | undefined;
  #waiting: PromiseWithResolvers<undefined> | undefined;

  constructor(source: Pausable, arrivals: Arrivals) {
    this.#source = source;
    this.#arrivals = arrivals;
  }

  /** Takes in a part of a message, see `Arrivals`. Empty messages are no sign of anything: servers before 15 send some. */
  push(bytes: Buffer, continues: boolean, left: number): void {
    if (bytes.length === 0) return;
    this.#arrivals.push(bytes, continues, left);
    if (this.#arrivals.bytes >= HIGH_BYTES && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
    this.#wake();
  }

  /** Says that what follows is another copy. */
  mark(): void {
    this.#arrivals.mark?.();
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

  async next(): Promise<IteratorResult<Arrival, undefined>> {
    for (;;) {
      const arrival = this.#take();
      if (arrival !== undefined) return { done: false, value: arrival };
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return { done: true, value: undefined };
      this.#waiting = Promise.withResolvers<undefined>();
      await this.#waiting.promise;
    }
  }

  #take(): Arrival | undefined {
    const arrival = this.#arrivals.take();
    if (this.#paused && this.#arrivals.bytes <= LOW_BYTES) {
      this.#paused = false;
      this.#source.resume();
    }
    return arrival;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #wake(): void {
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }
}
