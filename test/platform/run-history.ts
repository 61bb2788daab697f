import type { AnyRecordedEvent } from '@catena/events';

const LAST_WORDS = new Set(['run.completed', 'run.failed', 'run.refused', 'run.cancelled']);

/** Follows one run through its events and notes every step that must not be. */
export class RunHistory {
  readonly problems: string[] = [];
  readonly #run: string;
  readonly #types = new Set<string>();
  #attempt = 0;
  #holder: string | undefined;
  #retryAt: string | undefined;
  #ended: string | undefined;

  constructor(run: string) {
    this.#run = run;
  }

  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  add(event: AnyRecordedEvent): void {
    const note = (problem: string) =>
      void this.problems.push(`${this.#run}, ${event.type} at ${event.sequence}: ${problem}`);
    if (this.#ended !== undefined) note(`it comes after ${this.#ended}`);
    if (this.#types.size === 0 && event.type !== 'run.requested') note('it comes before the request');
    const once = event.type === 'run.requested' || event.type === 'run.planned';
    if (once && this.#types.has(event.type)) note('it is there twice');
    this.#types.add(event.type);
    this.#attempts(event, note);
    if (LAST_WORDS.has(event.type)) this.#ended = event.type;
  }

  #attempts(event: AnyRecordedEvent, note: (problem: string) => void): void {
    switch (event.type) {
      case 'run.claimed':
        if (!this.#types.has('run.planned')) note('it is claimed before it is planned');
        if (event.data.attempt !== this.#attempt + 1)
          note(`attempt ${event.data.attempt} follows attempt ${this.#attempt}`);
        if (this.#retryAt !== undefined && event.time < this.#retryAt)
          note(`it is claimed before ${this.#retryAt}`);
        this.#attempt = event.data.attempt;
        this.#holder = event.data.mover;
        return;
      case 'run.released':
      case 'run.attempt-failed':
        this.#speaksForItself(event.data, note);
        this.#retryAt = event.type === 'run.attempt-failed' ? event.data.retryAt : undefined;
        this.#holder = undefined;
        return;
      case 'run.completed':
        this.#speaksForItself(event.data, note);
        return;
      case 'run.failed':
        if (event.data.mover !== undefined)
          this.#speaksForItself({ attempt: event.data.attempt, mover: event.data.mover }, note);
        return;
      default:
    }
  }

  /** Only the holder of the newest claim is heard. */
  #speaksForItself(said: { attempt: number; mover: string }, note: (problem: string) => void): void {
    if (said.attempt !== this.#attempt || said.mover !== this.#holder)
      note(
        `attempt ${said.attempt} of ${said.mover} speaks, but attempt ${this.#attempt} of ${this.#holder ?? 'nobody'} is the newest`,
      );
  }
}
