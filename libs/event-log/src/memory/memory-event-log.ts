import { aggregateFilter, parseEventSubject, type AggregateRef, type AnyRecordedEvent } from '@catena/events';
import { ConcurrencyConflictError, PositionBeyondLogError } from '../port/errors.ts';
import {
  EMPTY_HEAD,
  type AggregateHead,
  type AppendPart,
  type AppendResult,
  type DurableOptions,
  type EventBatch,
  type EventLog,
  type FollowOptions,
  type PreparedAppend,
  type ReadOptions,
} from '../port/event-log.ts';
import { ChainCheck } from '../record/chain-check.ts';
import { decodeEvent, storedEventId } from '../record/decode-event.ts';
import { eventHash } from '../record/event-hash.ts';
import { resultOfRepeated } from '../record/own-events.ts';
import { partsOf, prepareAppend, resultOfStored, type PreparedMessage } from '../record/prepare-append.ts';
import { notNext, restoredEvent } from '../record/restored-event.ts';
import type { StoredEvent } from '../record/stored-event.ts';
import { wantedBy } from '../record/wanted.ts';
import { Arrivals } from './arrivals.ts';
import { MemoryDeliveries } from './memory-deliveries.ts';

/** The log without a server: the same encoding, checks and answers, nothing kept. For unit tests of what stands on the port. */
export class MemoryEventLog implements EventLog {
  readonly #stored: StoredEvent[] = [];
  readonly #ids = new Map<string, AggregateHead>();
  readonly #aggregates = new Map<string, AggregateHead[]>();
  readonly #arrivals = new Arrivals();
  readonly #deliveries: MemoryDeliveries;
  readonly #now: () => Date;

  constructor(options: { now?: () => Date } = {}) {
    this.#now = options.now ?? (() => new Date());
    this.#deliveries = new MemoryDeliveries(
      {
        at: (sequence) => this.#at(sequence),
        last: () => this.#stored.length,
        arrival: (sequence, signal) => this.#arrivals.beyond(sequence, () => this.#stored.length, signal),
      },
      this.#now,
    );
  }

  get deadLetters() {
    return this.#deliveries.deadLetters;
  }

  prepare(parts: readonly AppendPart[]): EncodedAppend {
    return new EncodedAppend(parts);
  }

  async append(append: readonly AppendPart[] | PreparedAppend): Promise<AppendResult> {
    const { parts, messages } = append instanceof EncodedAppend ? append : new EncodedAppend(partsOf(append));
    const repeated = resultOfRepeated(parts, messages, this.#ids);
    if (repeated) return repeated;
    for (const { aggregate, expected } of parts) {
      const actual = this.#headOf(aggregate).sequence;
      if (actual !== expected.sequence)
        throw new ConcurrencyConflictError(aggregate, expected.sequence, actual);
    }
    const first = this.#stored.length + 1;
    const storedAt = this.#now().toISOString();
    for (const { subject, headers, data } of messages) {
      this.#store({ sequence: this.#stored.length + 1, subject, headers, data, storedAt });
    }
    this.#arrivals.announce();
    return resultOfStored(messages, first);
  }

  async restoreStored(events: readonly StoredEvent[]): Promise<void> {
    if (events[0]?.sequence !== this.#stored.length + 1)
      throw notNext(events[0]?.sequence, this.#stored.length);
    for (const event of events) this.#store(restoredEvent(event));
    this.#arrivals.announce();
  }

  async *readStored(
    options: { from?: number; to?: number; signal?: AbortSignal } = {},
  ): AsyncIterable<StoredEvent> {
    for (const stored of this.#stored.slice((options.from ?? 1) - 1, options.to)) {
      options.signal?.throwIfAborted();
      yield stored;
    }
  }

  async *read(options: ReadOptions = {}): AsyncIterable<AnyRecordedEvent> {
    const from = options.from ?? 1;
    const to = Math.min(options.to ?? this.#stored.length, this.#stored.length);
    const wanted = wantedBy(options.types);
    const chain = options.aggregate && !options.types && new ChainCheck({ complete: from <= 1 });
    const places = options.aggregate
      ? (this.#aggregates.get(aggregateFilter(options.aggregate)) ?? [])
      : this.#stored;
    for (const { sequence } of places.slice()) {
      options.signal?.throwIfAborted();
      if (sequence < from || sequence > to || !wanted(this.#storedAt(sequence))) continue;
      const event = this.#at(sequence);
      if (chain) chain.accept(event);
      yield event;
    }
  }

  async head(aggregate: AggregateRef): Promise<AggregateHead> {
    return this.#headOf(aggregate);
  }

  async lastSequence(): Promise<number> {
    return this.#stored.length;
  }

  async *follow(options: FollowOptions): AsyncIterable<EventBatch> {
    let next = options.from;
    if (next > this.#stored.length + 1) throw new PositionBeyondLogError(next - 1, this.#stored.length);
    const wanted = wantedBy(options.types);
    while (!options.signal.aborted) {
      await this.#arrivals.beyond(next - 1, () => this.#stored.length, options.signal);
      const batch = this.#stored.slice(next - 1, next - 1 + (options.batchSize ?? 500));
      const through = batch.at(-1)?.sequence;
      if (through === undefined) continue;
      yield { events: batch.filter(wanted).map(decodeEvent), through };
      next = through + 1;
    }
  }

  async deliver(
    options: DurableOptions,
    handle: (event: AnyRecordedEvent, delivery: { attempt: number }) => Promise<void>,
  ): Promise<void> {
    await this.#deliveries.run(options, handle);
  }

  async retrying(name: string): Promise<number> {
    return this.#deliveries.retrying(name);
  }

  async forget(name: string): Promise<void> {
    this.#deliveries.forget(name);
  }

  async close(): Promise<void> {
    // Nothing is held: what follows or delivers ends with its own signal.
  }

  #store(event: StoredEvent): void {
    const head = { sequence: this.#stored.push(event), hash: eventHash(event) };
    this.#ids.set(storedEventId(event) ?? '', head);
    const key = aggregateFilter(parseEventSubject(event.subject).aggregate);
    const history = this.#aggregates.get(key) ?? [];
    history.push(head);
    this.#aggregates.set(key, history);
  }

  #headOf(aggregate: AggregateRef): AggregateHead {
    return this.#aggregates.get(aggregateFilter(aggregate))?.at(-1) ?? EMPTY_HEAD;
  }

  #storedAt(sequence: number): StoredEvent {
    const stored = this.#stored[sequence - 1];
    if (!stored) throw new RangeError(`the log has no event ${sequence}`);
    return stored;
  }

  #at(sequence: number): AnyRecordedEvent {
    return decodeEvent(this.#storedAt(sequence));
  }
}

class EncodedAppend implements PreparedAppend {
  readonly parts: readonly AppendPart[];
  readonly messages: readonly PreparedMessage[];

  constructor(parts: readonly AppendPart[]) {
    this.parts = parts;
    this.messages = prepareAppend(parts);
  }
}
