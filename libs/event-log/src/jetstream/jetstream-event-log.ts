import {
  aggregateFilter,
  aggregateTypeOf,
  CatenaError,
  EVENT_SUBJECT_ROOT,
  eventSubject,
  type AggregateRef,
  type AnyRecordedEvent,
  type EventType,
} from '@catena/events';
import type { JsMsg } from '@nats-io/jetstream';
import type {
  AggregateHead,
  AppendPart,
  AppendResult,
  DurableOptions,
  EventBatch,
  EventLog,
  FollowOptions,
  PreparedAppend,
  ReadOptions,
} from '../port/event-log.ts';
import { ChainCheck } from '../record/chain-check.ts';
import { decodeEvent } from '../record/decode-event.ts';
import { GapCheck } from '../record/gap-check.ts';
import type { StoredEvent } from '../record/stored-event.ts';
import { wantedBy } from '../record/wanted.ts';
import { appendEvents, headOf } from './append-events.ts';
import { JetStreamDeadLetters } from './jetstream-dead-letters.ts';
import { deliverEvents, eventsRetried, forgetDelivery } from './deliver-events.ts';
import type { NatsLink } from './nats-link.ts';
import { pullBatches } from './pull-events.ts';
import { restoreEvents } from './restore-events.ts';
import { checkEventStream } from './set-up-streams.ts';
import { eventOfDelivery } from './stored-message.ts';
import { EVENTS_STREAM } from './stream-settings.ts';
import { WireAppend } from './wire-append.ts';
import { DEFAULT_PATIENCE, withPatience } from './with-patience.ts';

/** How the log is opened. */
export interface EventLogOptions {
  /** How long an append, a read or a question outlasts a server that is away, in milliseconds. Default 30 000. */
  readonly patienceMilliseconds?: number;
  /** Aggregates whose chains a follower keeps in mind; default 20 000, about 4 MB. */
  readonly chainLimit?: number;
}

const READ_BATCH = 500;
const CHAIN_LIMIT = 20_000;

/**
 * Opens the log on a connection, after checking that its stream is append-only.
 * @throws as `checkEventStream`.
 */
export async function openEventLog(link: NatsLink, options: EventLogOptions = {}): Promise<EventLog> {
  await checkEventStream(link);
  return new JetStreamEventLog(link, options);
}

class JetStreamEventLog implements EventLog {
  readonly #link: NatsLink;
  readonly #options: EventLogOptions;
  readonly #closed = new AbortController();
  readonly deadLetters: JetStreamDeadLetters;

  constructor(link: NatsLink, options: EventLogOptions) {
    this.#link = link;
    this.#options = options;
    this.deadLetters = new JetStreamDeadLetters(link);
  }

  append(append: readonly AppendPart[] | PreparedAppend): Promise<AppendResult> {
    return appendEvents(this.#link, append, this.#options.patienceMilliseconds ?? DEFAULT_PATIENCE);
  }

  prepare(parts: readonly AppendPart[]): PreparedAppend {
    return new WireAppend(parts);
  }

  async *read(options: ReadOptions = {}): AsyncIterable<AnyRecordedEvent> {
    const from = Math.max(1, options.from ?? 1);
    const chain = options.aggregate && !options.types ? new ChainCheck({ complete: from === 1 }) : undefined;
    const gaps = options.aggregate || options.types ? undefined : new GapCheck(from);
    for await (const stored of this.#stored({ ...options, from })) {
      gaps?.accept(stored.sequence);
      const event = decodeEvent(stored);
      chain?.accept(event);
      yield event;
    }
  }

  readStored(options: { from?: number; to?: number; signal?: AbortSignal } = {}): AsyncIterable<StoredEvent> {
    return this.#stored({ ...options, from: Math.max(1, options.from ?? 1) });
  }

  restoreStored(events: readonly StoredEvent[]): Promise<void> {
    return restoreEvents(this.#link, events, this.#options.patienceMilliseconds ?? DEFAULT_PATIENCE);
  }

  head(aggregate: AggregateRef): Promise<AggregateHead> {
    return this.#patiently('asking for the head of an aggregate', () => headOf(this.#link, aggregate));
  }

  lastSequence(): Promise<number> {
    return this.#patiently('asking for the last sequence', async () => {
      const { streams } = await this.#link.manager();
      return (await streams.info(EVENTS_STREAM)).state.last_seq;
    });
  }

  async *follow(options: FollowOptions): AsyncIterable<EventBatch> {
    const wanted = wantedBy(options.types);
    const gaps = new GapCheck(options.from);
    const chain = options.types
      ? undefined
      : new ChainCheck({ complete: options.from === 1, limit: this.#options.chainLimit ?? CHAIN_LIMIT });
    const signal = this.#until(options.signal);
    for await (const batch of this.#pull(options.from, [], options.batchSize ?? READ_BATCH, signal, false)) {
      for (const message of batch) gaps.accept(message.seq);
      const events = batch.filter(wanted).map((message) => decodeEvent(eventOfDelivery(message)));
      if (chain) for (const event of events) chain.accept(event);
      yield { events, through: batch.at(-1)?.seq ?? options.from - 1 };
    }
  }

  async deliver(
    options: DurableOptions,
    handle: (event: AnyRecordedEvent, delivery: { attempt: number }) => Promise<void>,
  ): Promise<void> {
    const signal = this.#until(options.signal);
    await deliverEvents(
      this.#link,
      { ...options, signal, filters: filtersOf(undefined, options.types) ?? [] },
      handle,
    );
  }

  retrying(name: string): Promise<number> {
    return this.#patiently('asking for failing deliveries', () => eventsRetried(this.#link, name));
  }

  forget(name: string): Promise<void> {
    return this.#patiently(`forgetting the subscription "${name}"`, () => forgetDelivery(this.#link, name));
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }

  async *#stored(options: ReadOptions & { from: number }): AsyncGenerator<StoredEvent> {
    const { from, to = Number.POSITIVE_INFINITY, signal } = options;
    const filters = filtersOf(options.aggregate, options.types);
    if (from > to || filters?.length === 0) return;
    this.#stopWhenAborted(signal);
    for await (const batch of this.#pull(from, filters ?? [], READ_BATCH, this.#until(signal), true)) {
      for (const message of batch) {
        if (message.seq > to) return;
        yield eventOfDelivery(message);
        this.#stopWhenAborted(signal);
      }
    }
    this.#stopWhenAborted(signal);
  }

  #pull(
    from: number,
    filters: readonly string[],
    batch: number,
    signal: AbortSignal,
    untilEnd: boolean,
  ): AsyncGenerator<readonly JsMsg[]> {
    const patience = this.#options.patienceMilliseconds;
    return pullBatches(this.#link, {
      stream: EVENTS_STREAM,
      ...{ from, filters, batch, signal, untilEnd },
      ...(patience === undefined ? {} : { patienceMilliseconds: patience }),
    });
  }

  /** What was read so far must not pass for all there is. */
  #stopWhenAborted(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed.signal.aborted) {
      throw new CatenaError('event-log.closed', 'The event log was closed while it was read.', {
        retryable: true,
      });
    }
  }

  #until(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal;
  }

  #patiently<T>(doing: string, work: () => Promise<T>): Promise<T> {
    return withPatience(this.#link, doing, work, {
      patienceMilliseconds: this.#options.patienceMilliseconds ?? DEFAULT_PATIENCE,
    });
  }
}

/** The subjects that let through what is wanted; undefined for everything. */
function filtersOf(
  aggregate: AggregateRef | undefined,
  types: readonly EventType[] | undefined,
): readonly string[] | undefined {
  if (!types) return aggregate && [aggregateFilter(aggregate)];
  const unique = [...new Set(types)];
  if (!aggregate) return unique.map((type) => `${EVENT_SUBJECT_ROOT}.${type.replace('.', '.*.')}`);
  return unique
    .filter((type) => aggregateTypeOf(type) === aggregate.type)
    .map((type) => eventSubject(aggregate, type));
}
