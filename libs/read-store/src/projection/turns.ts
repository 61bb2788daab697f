/** Lets one piece of work run at a time, in the order they came. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  async take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    // The next one waits for the end of this one, however it ended; its own caller hears of a failure.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
