import type { AnyRecordedEvent, RequestContract } from '@catena/events';
import { requestSubject } from '@catena/events';
import { jobKindOf, type EventLog, type JobQueue, type Messages, type TakenJob } from '@catena/event-log';
import { Server, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { withLogFields, type Log } from '../logging/log.ts';
import { pause } from '../lifecycle/pause.ts';
import type { BackgroundWork } from '../lifecycle/background-work.ts';
import { answerRequest } from './answer-request.ts';
import { HandlerContext } from './handler-context.ts';
import {
  LOG_TRANSPORT,
  type EventSubscription,
  type HandlerMetadata,
  type JobSubscription,
} from './handler-decorators.ts';

export interface LogTransportOptions {
  /** The service's name: its processes share requests under it. */
  readonly service: string;
  readonly eventLog: EventLog;
  readonly jobQueue: JobQueue;
  readonly messages: Messages;
  readonly work: BackgroundWork;
  readonly log: Log;
  /** Jobs worked on at once; default 1. */
  readonly jobSlots?: number;
  /** Streams followed at once; default 1. */
  readonly streamSlots?: number;
  /** Whose jobs are taken; default those of the default pool. */
  readonly moverPool?: string;
}

const TAKE_MILLISECONDS = 5_000;
const GIVE_BACK_MILLISECONDS = 5_000;

/** Nest's transport over the event log, the queue of jobs and plain messages (architecture.md section 9). */
export class LogTransport extends Server {
  override readonly propagatesEventHandlerErrors = true;
  readonly #options: LogTransportOptions;
  readonly #stopping = new AbortController();
  readonly #served: { stop(): Promise<void> }[] = [];
  readonly #inHand = new Set<Promise<unknown>>();

  constructor(options: LogTransportOptions) {
    super();
    this.#options = options;
    this.transportId = LOG_TRANSPORT;
  }

  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler?: boolean,
    extras?: Record<string, unknown>,
  ): void {
    if (this.messageHandlers.has(String(pattern))) throw new Error(`Two handlers for ${String(pattern)}.`);
    super.addHandler(pattern, callback, isEventHandler, extras);
  }

  listen(callback: (error?: unknown) => void): void {
    this.#startHandlers().then(() => callback(), callback);
  }

  /** Takes nothing more, tells handlers to end, and waits for those that are at work. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#served.splice(0).map((served) => served.stop()));
    while (this.#inHand.size > 0) await Promise.allSettled(this.#inHand);
  }

  on(): void {
    throw new Error('The log transport has no events of its own; readiness tells its state.');
  }

  unwrap<T>(): T {
    return this.#options.eventLog as T;
  }

  async #startHandlers(): Promise<void> {
    for (const handler of this.messageHandlers.values()) {
      const metadata = handler.extras as HandlerMetadata;
      switch (metadata.handles) {
        case 'request':
          await this.#serve(metadata.contract, handler);
          break;
        case 'events':
          this.#deliver(metadata.subscription, handler);
          break;
        case 'jobs':
          this.#takeJobs(metadata.subscription, handler);
          break;
      }
    }
  }

  async #serve(contract: RequestContract, handler: MessageHandler): Promise<void> {
    const { messages, service, log } = this.#options;
    const served = await messages.serve(requestSubject(contract), service, (payload) =>
      withLogFields(runOf(payload), () =>
        this.#held(answerRequest(contract, payload, (input) => this.#call(handler, input, 1), log)),
      ),
    );
    this.#served.push(served);
  }

  #deliver(subscription: EventSubscription, handler: MessageHandler): void {
    const { eventLog, work, log } = this.#options;
    work.start(`events ${subscription.name}`, async (signal, healthy) => {
      healthy();
      await eventLog.deliver(
        { ...subscription, signal: AbortSignal.any([signal, this.#stopping.signal]) },
        (event, { attempt }) =>
          withLogFields(eventFields(event), async () => {
            try {
              await this.#held(this.#call(handler, event, attempt));
            } catch (error) {
              log.warn('an event was not handled and comes again', {
                handler: subscription.name,
                attempt,
                error,
              });
              throw error;
            }
          }),
      );
    });
  }

  #takeJobs(subscription: JobSubscription, handler: MessageHandler): void {
    const { jobQueue, work, jobSlots = 1, streamSlots = 1, moverPool = 'default' } = this.#options;
    const slots = subscription.slots === 'streams' ? streamSlots : jobSlots;
    const what = subscription.slots ?? 'jobs';
    const kinds = subscription.kinds.map((kind) => jobKindOf(kind, moverPool));
    for (let slot = 1; slot <= slots; slot += 1) {
      work.start(`${what} slot ${slot}`, async (workSignal, healthy) => {
        const signal = AbortSignal.any([workSignal, this.#stopping.signal]);
        while (!signal.aborted) {
          const job = await jobQueue.take({
            kinds,
            waitMilliseconds: TAKE_MILLISECONDS,
            signal,
          });
          healthy();
          if (job !== undefined) await this.#held(this.#work(job, handler, signal));
        }
      });
    }
  }

  async #work(job: TakenJob, handler: MessageHandler, signal: AbortSignal): Promise<void> {
    await withLogFields({ run: job.run }, async () => {
      try {
        await this.#call(handler, job, 1);
      } catch (error) {
        this.#options.log.error('a job was not handled and is given back', { kind: job.kind, error });
        await job.giveBack(GIVE_BACK_MILLISECONDS);
        await pause(250, signal);
      }
    });
  }

  async #call(handler: MessageHandler, payload: unknown, delivery: number): Promise<unknown> {
    const result: unknown = await handler(payload, new HandlerContext(this.#stopping.signal, delivery));
    return isObservable(result) ? await lastValueFrom(result, { defaultValue: undefined }) : result;
  }

  #held<T>(work: Promise<T>): Promise<T> {
    const held = work.finally(() => this.#inHand.delete(held));
    this.#inHand.add(held);
    return held;
  }
}

function runOf(payload: unknown): Record<string, unknown> {
  const run = (payload as { run?: unknown } | null)?.run;
  return typeof run === 'string' ? { run } : {};
}

function eventFields(event: AnyRecordedEvent): Record<string, unknown> {
  return {
    run: event.aggregate.type === 'run' ? event.aggregate.id : event.correlationId,
    event: event.type,
    sequence: event.sequence,
  };
}
