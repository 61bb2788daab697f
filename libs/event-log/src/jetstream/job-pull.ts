import type { Consumer, JsMsg } from '@nats-io/jetstream';
import { wait } from '../wait.ts';
import { openPull } from './open-pull.ts';
import { asCatenaError, isTransient } from './nats-errors.ts';

/** One taker waiting for one job, of whichever kind comes first. */
export class JobTicket {
  readonly served: Promise<JsMsg>;
  #settle: { resolve: (message: JsMsg) => void; reject: (reason: unknown) => void } | undefined;

  constructor() {
    this.served = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever withdrew does not listen any more.
    this.served.catch(() => undefined);
  }

  /** False when the taker has a job already, or is gone. */
  give(message: JsMsg): boolean {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve(message);
    return settle !== undefined;
  }

  fail(reason: unknown): void {
    this.#settle?.reject(reason);
    this.#settle = undefined;
  }

  withdraw(): void {
    this.#settle = undefined;
  }
}

/** How long one request for a job stays open on the server, in milliseconds. */
const PULL_EXPIRES = 5_000;

/** Before trying again what a lost server broke off, in milliseconds. */
const RETRY_DELAY = 100;

/**
 * Asks for jobs of one kind while somebody waits for one. A request stays open beyond the taker that caused it and
 * serves the next one; a job that comes when nobody waits goes back at once. So none is held by a taker that is gone.
 */
export class JobPull {
  readonly #open: () => Promise<Consumer>;
  readonly #closed: AbortSignal;
  readonly #tickets = new Set<JobTicket>();
  #asking = false;
  #ended = Promise.resolve();

  constructor(open: () => Promise<Consumer>, closed: AbortSignal) {
    this.#open = open;
    this.#closed = closed;
  }

  join(ticket: JobTicket): void {
    this.#tickets.add(ticket);
    if (this.#asking) return;
    this.#asking = true;
    this.#ended = this.#run();
  }

  leave(ticket: JobTicket): void {
    this.#tickets.delete(ticket);
  }

  /** Resolves when nothing is asked for any more. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  async #run(): Promise<void> {
    while (this.#tickets.size > 0 && !this.#closed.aborted) {
      try {
        await this.#pullOnce(await this.#open());
      } catch (thrown) {
        if (isTransient(thrown)) await wait(RETRY_DELAY, this.#closed);
        else this.#failAll(asCatenaError(thrown, 'waiting for a job'));
      }
    }
    // In the same turn as the last look at the tickets: one that joins later must start another run.
    this.#asking = false;
  }

  async #pullOnce(consumer: Consumer): Promise<void> {
    const options = { max_messages: 1, expires: PULL_EXPIRES };
    for await (const message of openPull(consumer, options, this.#closed)) this.#offer(message);
  }

  #offer(message: JsMsg): void {
    for (const ticket of this.#tickets) {
      this.#tickets.delete(ticket);
      if (ticket.give(message)) return;
    }
    message.nak();
  }

  #failAll(reason: unknown): void {
    for (const ticket of this.#tickets) ticket.fail(reason);
    this.#tickets.clear();
  }
}
