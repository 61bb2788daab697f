import type { EventType, RequestContract, RecordedEvent } from '@catena/events';
import { requestSubject } from '@catena/events';
import type { TakenJob } from '@catena/event-log';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import type { z } from 'zod';
import type { HandlerContext } from './handler-context.ts';

/** Nest's own decorator, without its table of typed events. */
const onEvent: (pattern: string, transport: symbol, extras: HandlerMetadata) => MethodDecorator =
  EventPattern;

/** Tells the transport's handlers from those of any other. */
export const LOG_TRANSPORT = Symbol('catena.log-transport');

/** Events that one of the service's processes handles, each at least once; handlers are idempotent. */
export interface EventSubscription<T extends EventType = EventType> {
  /** Name of the durable position. Changing it starts again from `from`. */
  readonly name: string;
  readonly types: readonly T[];
  /** Sequence where a new position starts; default 1. */
  readonly from?: number;
  /** Delays before a failed event comes again, in milliseconds; after the last one it is a dead letter. */
  readonly backoff: readonly number[];
}

/** Work of these kinds from the queue of jobs. The handler acknowledges or gives back itself. */
export interface JobSubscription {
  readonly kinds: readonly string[];
  /** Slots of their own, beside those for work that ends by itself. */
  readonly slots?: 'streams';
}

/** What the transport finds on a handler. */
export type HandlerMetadata =
  | { readonly handles: 'request'; readonly contract: RequestContract }
  | { readonly handles: 'events'; readonly subscription: EventSubscription }
  | { readonly handles: 'jobs'; readonly subscription: JobSubscription };

/** Fits methods that take the payload, or the payload and the context. */
type Handler<P, R> = <M extends (payload: P, context: HandlerContext) => Promise<R>>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** Answers a request; input and answer are checked against the contract. */
export function AnswersRequest<I extends z.ZodType, O extends z.ZodType>(
  contract: RequestContract<I, O>,
): Handler<z.output<I>, z.input<O>> {
  const metadata: HandlerMetadata = { handles: 'request', contract };
  return MessagePattern(requestSubject(contract), LOG_TRANSPORT, metadata);
}

/** Handles events of the log with a durable position. */
export function HandlesEvents<T extends EventType>(
  subscription: EventSubscription<T>,
): Handler<{ [K in T]: RecordedEvent<K> }[T], void> {
  const metadata: HandlerMetadata = { handles: 'events', subscription };
  return onEvent(`events:${subscription.name}`, LOG_TRANSPORT, metadata);
}

/** Takes jobs, as many at once as the service has slots. */
export function HandlesJobs(subscription: JobSubscription): Handler<TakenJob, void> {
  const metadata: HandlerMetadata = { handles: 'jobs', subscription };
  return onEvent(`jobs:${subscription.kinds.join('+')}`, LOG_TRANSPORT, metadata);
}
