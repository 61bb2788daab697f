import {
  CatenaError,
  cancelSubject,
  errorFromDescription,
  progressMessage,
  progressSubject,
  reply,
  requestSubject,
  type AnyRecordedEvent,
  type EventType,
  type ProgressMessage,
  type RequestContract,
} from '@catena/events';
import type { EventLog, Messages } from '@catena/event-log';
import type { z } from 'zod';
import { followRun, type RunOutcome } from './follow-run.ts';
import { QuestionNotUnderstoodError } from './question-not-understood-error.ts';

export interface AskOptions {
  /** Default 15 000: time enough for a service to find out that the log stores nothing, and to say so. */
  readonly timeoutMilliseconds?: number;
  readonly signal?: AbortSignal;
}

export interface SubscribeOptions {
  /** The position's name; the same name goes on where it stopped, also after restarts of everything. */
  readonly name: string;
  /** Default: every type. */
  readonly types?: readonly EventType[];
  /** Where a new name starts: the sequence of the first event wanted. Default: what comes from now on. */
  readonly from?: number;
  readonly signal: AbortSignal;
  /** Delays in milliseconds before an event is delivered again; afterwards it is a dead letter. Default 1 s to 5 min. */
  readonly backoff?: readonly number[];
}

const ANSWER_MILLISECONDS = 15_000;
const DEFAULT_BACKOFF = [1_000, 5_000, 30_000, 120_000, 300_000];

/** Everything a program outside the services needs: commands, queries, live runs, durable subscriptions. */
export class CatenaClient {
  readonly log: EventLog;
  readonly #messages: Messages;
  readonly #close: () => Promise<void>;

  constructor(parts: { log: EventLog; messages: Messages; close: () => Promise<void> }) {
    this.log = parts.log;
    this.#messages = parts.messages;
    this.#close = parts.close;
  }

  /**
   * Sends a command or a query and answers its checked result.
   * @throws CatenaError the service's own refusal; `client.question-not-understood` for what cannot be asked so;
   * `messages.no-responder` when the service is not there.
   */
  async ask<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.input<I>,
    options: AskOptions = {},
  ): Promise<z.output<O>> {
    const question = contract.input.safeParse(input);
    if (!question.success) throw new QuestionNotUnderstoodError(contract, question.error);
    const answer = reply.parse(
      await this.#messages
        .ask(requestSubject(contract), question.data, {
          timeoutMilliseconds: ANSWER_MILLISECONDS,
          ...options,
        })
        .catch((error: unknown) => {
          throw withService(contract, error);
        }),
    );
    if (!answer.ok) throw errorFromDescription(answer.error);
    const parsed = contract.output.safeParse(answer.result);
    if (!parsed.success) {
      throw new CatenaError(
        'client.answer-not-understood',
        `The ${contract.service} answered "${contract.name}" in a form this client does not know.`,
        {
          remedy: 'Use the client of the same version as the services.',
          cause: parsed.error,
        },
      );
    }
    return parsed.data;
  }

  /** Waits until a run is over; reports its events and its progress meanwhile. */
  followRun(
    run: string,
    options: {
      signal: AbortSignal;
      onEvent?: (event: AnyRecordedEvent) => void;
      onProgress?: (progress: ProgressMessage) => void;
    },
  ): Promise<RunOutcome> {
    const listener = options.onProgress ? this.onProgress(run, options.onProgress) : undefined;
    return followRun(this.log, run, options).finally(() => listener?.stop());
  }

  /** Progress of one run, or of all with `*`; at most once, while somebody works on it. */
  onProgress(run: string, handle: (progress: ProgressMessage) => void): { stop(): void } {
    return this.#messages.listen(progressSubject(run), (payload) => {
      const parsed = progressMessage.safeParse(payload);
      if (parsed.success) handle(parsed.data);
    });
  }

  /** Tells the mover at once that a cancel was recorded; the log has the truth. */
  nudgeCancel(run: string): void {
    this.#messages.notify(cancelSubject(run), { run });
  }

  /**
   * Delivers each event at least once, in a position that survives restarts of this program and of the platform.
   * The handler must be able to see an event twice. Resolves when the signal aborts.
   */
  async subscribe(
    options: SubscribeOptions,
    handle: (event: AnyRecordedEvent) => Promise<void>,
  ): Promise<void> {
    const from = options.from ?? (await this.log.lastSequence()) + 1;
    await this.log.deliver(
      {
        name: options.name,
        from,
        signal: options.signal,
        backoff: options.backoff ?? DEFAULT_BACKOFF,
        ...(options.types ? { types: options.types } : {}),
      },
      handle,
    );
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** Nobody answers a subject, but what a person wants to know of is the service. */
function withService({ service, name }: RequestContract, error: unknown): unknown {
  if (!(error instanceof CatenaError) || error.code !== 'messages.no-responder') return error;
  return new CatenaError(
    error.code,
    `No ${service} is there to answer "${name}": it does not run, or it is starting.`,
    {
      remedy: 'See with "catena status" which services are there; then ask again.',
      retryable: true,
      details: error.details,
      cause: error,
    },
  );
}
