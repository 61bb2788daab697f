/** Work that looks at everything there is: while it goes on, whoever wants it waits for one more round together. */
export class SinglePass {
  readonly #work: () => Promise<void>;
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Resolves when a round that began after this call is over. */
  run(): Promise<void> {
    if (this.#current === undefined) {
      this.#current = this.#work().finally(() => (this.#current = undefined));
      return this.#current;
    }
    this.#next ??= this.#current
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.run();
      });
    return this.#next;
  }
}
