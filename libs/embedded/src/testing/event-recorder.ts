/** Collects events and lets a test wait for one; the test's own limit bounds the wait. */
export class EventRecorder<E> {
  readonly events: E[] = [];
  #waiting: { condition: (event: E) => boolean; resolve: (event: E) => void }[] = [];

  readonly record = (event: E): void => {
    this.events.push(event);
    for (const waiter of this.#waiting.filter(({ condition }) => condition(event))) {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      waiter.resolve(event);
    }
  };

  /** The first event that satisfies the condition, past or to come. */
  until(condition: (event: E) => boolean): Promise<E> {
    const past = this.events.find(condition);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }
}
