import { CatenaError, describeError, errorFromDescription } from '@catena/events';
import type { Messages } from '../port/messages.ts';
import { noResponder, timedOut } from '../port/message-errors.ts';
import { wait } from '../wait.ts';

const DEFAULT_TIMEOUT = 5_000;

/** Messages within one process, with the same JSON on the way as between processes. */
export class MemoryMessages implements Messages {
  readonly #served = new Map<string, { group: string; handle: (payload: unknown) => Promise<unknown> }[]>();
  readonly #listeners = new Set<{ subject: string; handle: (payload: unknown, subject: string) => void }>();

  async ask(
    subject: string,
    payload: unknown,
    options: { timeoutMilliseconds?: number; signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const server = this.#served.get(subject)?.[0];
    if (!server) throw noResponder(subject);
    options.signal?.throwIfAborted();
    const timeout = options.timeoutMilliseconds ?? DEFAULT_TIMEOUT;
    const over = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
    const late = wait(timeout, signal).then(() => {
      options.signal?.throwIfAborted();
      throw timedOut(subject, timeout);
    });
    const answer = server.handle(onTheWire(payload)).then(onTheWire, (thrown: unknown) => {
      throw thrown instanceof CatenaError
        ? errorFromDescription(thrown.describe())
        : errorFromDescription(describeError(thrown));
    });
    // Whichever loses the race has nobody left to hear its failure.
    late.catch(() => undefined);
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, late]);
    } finally {
      over.abort();
    }
  }

  async serve(
    subject: string,
    group: string,
    handle: (payload: unknown) => Promise<unknown>,
  ): Promise<{ stop(): Promise<void> }> {
    const working = new Set<Promise<unknown>>();
    const server = {
      group,
      handle: (payload: unknown) => {
        // The next question goes to the next server.
        const servers = this.#served.get(subject) ?? [];
        servers.push(...servers.splice(0, 1));
        const work = handle(payload);
        working.add(work);
        const done = () => working.delete(work);
        work.then(done, done);
        return work;
      },
    };
    this.#served.set(subject, [...(this.#served.get(subject) ?? []), server]);
    return {
      stop: async () => {
        const left = (this.#served.get(subject) ?? []).filter((each) => each !== server);
        if (left.length > 0) this.#served.set(subject, left);
        else this.#served.delete(subject);
        await Promise.allSettled(working);
      },
    };
  }

  notify(subject: string, payload: unknown): void {
    const listeners = [...this.#listeners].filter((listener) => matches(listener.subject, subject));
    const carried = onTheWire(payload);
    queueMicrotask(() => {
      for (const { handle } of listeners) handle(carried, subject);
    });
  }

  listen(subject: string, handle: (payload: unknown, subject: string) => void): { stop(): void } {
    const listener = { subject, handle };
    this.#listeners.add(listener);
    return { stop: () => void this.#listeners.delete(listener) };
  }

  async flush(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }

  async close(): Promise<void> {
    this.#served.clear();
    this.#listeners.clear();
  }
}

function onTheWire(payload: unknown): unknown {
  return JSON.parse(JSON.stringify(payload ?? null)) as unknown;
}

/** Whether a subject fits a pattern with `*` for one token and `>` for all the rest. */
export function matches(pattern: string, subject: string): boolean {
  const tokens = subject.split('.');
  const wanted = pattern.split('.');
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return tokens.length > index;
    if (tokens[index] === undefined || (token !== '*' && token !== tokens[index])) return false;
  }
  return tokens.length === wanted.length;
}
