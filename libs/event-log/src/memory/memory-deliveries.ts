import { describeError, type AnyRecordedEvent } from '@catena/events';
import type { DeadLetter, DeadLetterKey, DeadLetters } from '../port/dead-letters.ts';
import type { DurableOptions } from '../port/event-log.ts';
import { noDeadLetter } from '../port/no-dead-letter.ts';
import { wait } from '../wait.ts';

/** What deliveries need of the log. */
export interface DeliverySource {
  at(sequence: number): AnyRecordedEvent;
  last(): number;
  /** Resolves when the log goes beyond the sequence, or when the signal aborts. */
  arrival(sequence: number, signal: AbortSignal): Promise<void>;
}

interface Pending {
  readonly sequence: number;
  readonly attempt: number;
  readonly notBefore: number;
}

interface Position {
  next: number;
  /** Waiting for another attempt, of this process or of another under the same name. */
  retries: Pending[];
}

type Handle = (event: AnyRecordedEvent, delivery: { attempt: number }) => Promise<void>;

const SECOND_ATTEMPT = 2;

/** How often an idle delivery looks for retries that another one left, in milliseconds. */
const LOOK_AGAIN = 20;

/** Durable deliveries of the log in memory; positions live as long as the log. */
export class MemoryDeliveries {
  readonly #positions = new Map<string, Position>();
  readonly #dead = new Map<string, DeadLetter>();
  readonly #source: DeliverySource;
  readonly #now: () => Date;

  constructor(source: DeliverySource, now: () => Date) {
    this.#source = source;
    this.#now = now;
  }

  readonly deadLetters: DeadLetters = {
    list: async (filter) =>
      [...this.#dead.values()].filter(({ consumer }) => (filter?.consumer ?? consumer) === consumer),
    count: async (filter) => (await this.deadLetters.list(filter)).length,
    redeliver: async (key) => {
      this.#take(key);
      this.#positions.get(key.consumer)?.retries.push({ sequence: key.sequence, attempt: 1, notBefore: 0 });
    },
    discard: async (key) => {
      this.#take(key);
    },
  };

  async run(options: DurableOptions, handle: Handle): Promise<void> {
    const position = this.#positions.get(options.name) ?? { next: options.from ?? 1, retries: [] };
    this.#positions.set(options.name, position);
    while (!options.signal.aborted) {
      const pending = this.#takeNext(position);
      if (pending) await this.#attempt(options, position, pending, handle);
      else await this.#idle(position, options.signal);
    }
  }

  retrying(name: string): number {
    const retries = this.#positions.get(name)?.retries ?? [];
    return retries.filter(({ attempt }) => attempt > SECOND_ATTEMPT).length;
  }

  forget(name: string): void {
    this.#positions.delete(name);
  }

  #takeNext(position: Position): Pending | undefined {
    const ready = position.retries.findIndex((retry) => retry.notBefore <= Date.now());
    if (ready >= 0) return position.retries.splice(ready, 1)[0];
    if (position.next > this.#source.last()) return undefined;
    return { sequence: position.next++, attempt: 1, notBefore: 0 };
  }

  async #idle(position: Position, signal: AbortSignal): Promise<void> {
    const idle = new AbortController();
    const either = AbortSignal.any([signal, idle.signal]);
    await Promise.race([this.#source.arrival(position.next - 1, either), wait(LOOK_AGAIN, either)]);
    idle.abort();
  }

  async #attempt(
    options: DurableOptions,
    position: Position,
    pending: Pending,
    handle: Handle,
  ): Promise<void> {
    const { sequence, attempt } = pending;
    const event = this.#source.at(sequence);
    if (options.types && !options.types.includes(event.type)) return;
    try {
      await handle(event, { attempt });
    } catch (thrown) {
      const delay = options.backoff[attempt - 1];
      if (delay === undefined) this.#bury(options.name, event, attempt, thrown);
      else position.retries.push({ sequence, attempt: attempt + 1, notBefore: Date.now() + delay });
    }
  }

  #bury(consumer: string, event: AnyRecordedEvent, attempts: number, thrown: unknown): void {
    this.#dead.set(keyOf({ consumer, sequence: event.sequence }), {
      consumer,
      sequence: event.sequence,
      event: { id: event.id, type: event.type, aggregate: event.aggregate },
      attempts,
      error: describeError(thrown),
      failedAt: this.#now().toISOString(),
    });
  }

  #take(key: DeadLetterKey): DeadLetter {
    const letter = this.#dead.get(keyOf(key));
    if (!letter) throw noDeadLetter(key);
    this.#dead.delete(keyOf(key));
    return letter;
  }
}

function keyOf({ consumer, sequence }: DeadLetterKey): string {
  return `${consumer}/${sequence}`;
}
