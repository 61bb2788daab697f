import { errors, headers as newHeaders, type Msg } from '@nats-io/nats-core';
import { describeError, errorFromDescription, type CatenaError, type ErrorDescription } from '@catena/events';
import type { Messages } from '../port/messages.ts';
import { noResponder, timedOut, tooLarge } from '../port/message-errors.ts';
import { wait } from '../wait.ts';
import { asCatenaError } from './nats-errors.ts';
import type { NatsLink } from './nats-link.ts';

const DEFAULT_TIMEOUT = 5_000;

/** Marks an answer that is the description of an error. */
const ERROR_HEADER = 'Catena-Error';

/** Room that headers take of the server's limit, in bytes. */
const HEADROOM = 4096;

/** Messages on core NATS, with JSON payloads. */
export function openMessages(
  link: NatsLink,
  options: {
    /** Told of notices that are not JSON and of listeners that throw; default: a process warning. */
    onProblem?: (problem: unknown) => void;
  } = {},
): Messages {
  return new NatsMessages(link, options.onProblem ?? warn);
}

class NatsMessages implements Messages {
  readonly #link: NatsLink;
  readonly #onProblem: (problem: unknown) => void;
  readonly #stops = new Set<() => Promise<void>>();

  constructor(link: NatsLink, onProblem: (problem: unknown) => void) {
    this.#link = link;
    this.#onProblem = onProblem;
  }

  async ask(
    subject: string,
    payload: unknown,
    options: { timeoutMilliseconds?: number; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    options.signal?.throwIfAborted();
    const timeout = options.timeoutMilliseconds ?? DEFAULT_TIMEOUT;
    const question = this.#encode(subject, payload);
    try {
      const reply = this.#link.nats.request(subject, question, { timeout });
      return parseReply(await abortable(reply, options.signal));
    } catch (thrown) {
      options.signal?.throwIfAborted();
      if (thrown instanceof errors.TimeoutError) throw timedOut(subject, timeout, thrown);
      if (thrown instanceof errors.RequestError && thrown.isNoResponders())
        throw noResponder(subject, thrown);
      throw asCatenaError(thrown, `asking "${subject}"`);
    }
  }

  async serve(
    subject: string,
    group: string,
    handle: (payload: unknown) => Promise<unknown>,
  ): Promise<{ stop(): Promise<void> }> {
    const working = new Set<Promise<void>>();
    const subscription = this.#link.nats.subscribe(subject, {
      queue: group,
      callback: (error, message) => {
        if (error) {
          this.#onProblem(asCatenaError(error, `serving "${subject}"`));
          return;
        }
        const work = this.#answer(message, handle).finally(() => working.delete(work));
        working.add(work);
      },
    });
    // A question that comes right after this call must find the subscription; a refusal arrives before the answer.
    await this.flush();
    if (subscription.isClosed()) throw asCatenaError(await subscription.closed, `serving "${subject}"`);
    const stop = async () => {
      this.#stops.delete(stop);
      if (!subscription.isClosed() && !this.#link.nats.isClosed()) await subscription.drain();
      await Promise.all(working);
    };
    this.#stops.add(stop);
    return { stop };
  }

  notify(subject: string, payload: unknown): void {
    this.#link.nats.publish(subject, this.#encode(subject, payload));
  }

  listen(subject: string, handle: (payload: unknown, subject: string) => void): { stop(): void } {
    const subscription = this.#link.nats.subscribe(subject, {
      callback: (error, message) => {
        try {
          if (error) throw asCatenaError(error, `listening to "${subject}"`);
          handle(message.json(), message.subject);
        } catch (thrown) {
          this.#onProblem(thrown);
        }
      },
    });
    const stop = async () => {
      this.#stops.delete(stop);
      subscription.unsubscribe();
    };
    this.#stops.add(stop);
    return { stop: () => void stop() };
  }

  async flush(): Promise<void> {
    try {
      await this.#link.nats.flush();
    } catch (thrown) {
      throw asCatenaError(thrown, 'flushing');
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stops].map((stop) => stop()));
  }

  async #answer(message: Msg, handle: (payload: unknown) => Promise<unknown>): Promise<void> {
    try {
      const answer = await handle(message.json());
      message.respond(this.#encode(message.subject, answer));
    } catch (thrown) {
      this.#refuse(message, describeError(thrown));
    }
  }

  #refuse(message: Msg, description: ErrorDescription): void {
    const headers = newHeaders();
    headers.set(ERROR_HEADER, description.code);
    try {
      message.respond(JSON.stringify(description), { headers });
    } catch (thrown) {
      // The connection is closed: whoever asked gets a time-out.
      this.#onProblem(thrown);
    }
  }

  #encode(subject: string, payload: unknown): Uint8Array {
    const bytes = Buffer.from(JSON.stringify(payload ?? null));
    const limit = this.#link.server()?.maxPayload;
    if (limit !== undefined && bytes.byteLength + HEADROOM > limit)
      throw tooLarge(subject, bytes.byteLength, limit);
    return bytes;
  }
}

function parseReply(reply: Msg): unknown {
  if (reply.headers?.has(ERROR_HEADER)) throw errorFromDescription(reply.json<CatenaError>());
  return reply.json();
}

/** The client cannot take a question back; an answer that comes after the abort is not heard. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  const done = new AbortController();
  const aborted = wait(Number.POSITIVE_INFINITY, AbortSignal.any([signal, done.signal])).then(() =>
    signal.throwIfAborted(),
  );
  aborted.catch(() => undefined);
  try {
    return (await Promise.race([work, aborted])) as T;
  } finally {
    done.abort();
    work.catch(() => undefined);
  }
}

function warn(problem: unknown): void {
  process.emitWarning(String(problem), 'CatenaMessagesWarning');
}
