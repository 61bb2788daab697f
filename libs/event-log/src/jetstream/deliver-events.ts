import { CatenaError, describeError, type AnyRecordedEvent } from '@catena/events';
import type { Consumer, JsMsg } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { UnreadableEventError } from '../port/errors.ts';
import type { DurableOptions } from '../port/event-log.ts';
import { decodeEvent } from '../record/decode-event.ts';
import { wait } from '../wait.ts';
import { durableConsumer, redelivered, removeConsumer, type DurableSettings } from './durable-consumer.ts';
import { JetStreamDeadLetters } from './jetstream-dead-letters.ts';
import { asCatenaError, isTransient } from './nats-errors.ts';
import { openPull } from './open-pull.ts';
import type { NatsLink } from './nats-link.ts';
import { eventOfDelivery, eventOfStored } from './stored-message.ts';
import { EVENTS_STREAM, REDELIVERIES_STREAM, REDELIVERY_SUBJECT_ROOT } from './stream-settings.ts';
import { whileConnected } from './while-connected.ts';
import { withPatience } from './with-patience.ts';

type Handle = (event: AnyRecordedEvent, delivery: { attempt: number }) => Promise<void>;

interface Delivery extends DurableOptions {
  readonly filters: readonly string[];
}

/** How long an event stays with a process that says nothing, in milliseconds; a handler at work says so in time. */
const ACK_WAIT = 30_000;
const WORKING_EVERY = ACK_WAIT / 3;

/** How long one request for the next event stays open, in milliseconds. */
const PULL_EXPIRES = 20_000;

/** Before a subscription is opened again that was lost with its connection, in milliseconds. */
const AFTER_LOSS = 100;

const DURABLE_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Delivers events at least once under a durable name. One at a time for each process, so nobody sits on events that
 * an idle process could take; what operators want delivered again comes from a queue beside the log.
 */
export async function deliverEvents(link: NatsLink, options: Delivery, handle: Handle): Promise<void> {
  if (!DURABLE_NAME.test(options.name)) {
    throw new CatenaError(
      'event-log.subscription-name',
      `"${options.name}" cannot name a durable subscription.`,
      {
        remedy: 'Use 1 to 64 letters, digits, "-" or "_".',
      },
    );
  }
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const oneAtATime = new Turns();
  const fromLog: Source = {
    settings: {
      ...{ stream: EVENTS_STREAM, name: options.name, filters: options.filters, ackWait: nanos(ACK_WAIT) },
      ...(options.from === undefined ? {} : { from: options.from }),
    },
    eventOf: async (message) => decodeEvent(eventOfDelivery(message)),
  };
  const again: Source = {
    settings: {
      stream: REDELIVERIES_STREAM,
      name: redeliveriesOf(options.name),
      filters: [`${REDELIVERY_SUBJECT_ROOT}.${options.name}.*`],
      ackWait: nanos(ACK_WAIT),
    },
    eventOf: (message) => loadEvent(link, Number(message.subject.split('.').at(-1))),
  };
  const loops = [fromLog, again].map(async (source) => {
    try {
      await deliverFrom(link, source, { ...options, signal }, (message, event) =>
        oneAtATime.take(() => attempt(link, options, message, event, handle)),
      );
    } catch (thrown) {
      failed.abort();
      throw thrown;
    }
  });
  const outcomes = await Promise.allSettled(loops);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** How many events a name was given again and has not taken. */
export async function eventsRetried(link: NatsLink, name: string): Promise<number> {
  const [fromLog, again] = await Promise.all([
    redelivered(link, EVENTS_STREAM, name),
    redelivered(link, REDELIVERIES_STREAM, redeliveriesOf(name)),
  ]);
  return fromLog + again;
}

/** Removes the position of a durable name; what waits to be delivered to it again has nobody to go to then. */
export async function forgetDelivery(link: NatsLink, name: string): Promise<void> {
  await removeConsumer(link, EVENTS_STREAM, name);
  await removeConsumer(link, REDELIVERIES_STREAM, redeliveriesOf(name));
}

function redeliveriesOf(name: string): string {
  return `redeliver-${name}`;
}

/** Where deliveries come from. */
interface Source {
  readonly settings: DurableSettings;
  readonly eventOf: (message: JsMsg) => Promise<AnyRecordedEvent>;
}

async function deliverFrom(
  link: NatsLink,
  source: Source,
  { signal }: Delivery,
  deliver: (message: JsMsg, event: AnyRecordedEvent) => Promise<void>,
): Promise<void> {
  const stopped = () => signal.aborted;
  while (!stopped()) {
    try {
      const consumer = await durableConsumer(link, source.settings, signal);
      while (!stopped()) {
        const message = await nextMessage(consumer, signal);
        if (!message) continue;
        if (stopped()) message.nak();
        else await deliver(message, await read(source, message));
      }
    } catch (thrown) {
      if (stopped() && isTransient(thrown)) return;
      if (!isTransient(thrown)) throw asCatenaError(thrown, `delivering events to "${source.settings.name}"`);
      await wait(AFTER_LOSS, signal);
    }
  }
}

async function nextMessage(consumer: Consumer, signal: AbortSignal): Promise<JsMsg | undefined> {
  for await (const message of openPull(consumer, { max_messages: 1, expires: PULL_EXPIRES }, signal))
    return message;
  return undefined;
}

/** An event that this build does not understand goes back at once, for a build that does. */
async function read(source: Source, message: JsMsg): Promise<AnyRecordedEvent> {
  try {
    return await source.eventOf(message);
  } catch (thrown) {
    if (thrown instanceof UnreadableEventError) message.nak();
    throw thrown;
  }
}

async function attempt(
  link: NatsLink,
  options: Delivery,
  message: JsMsg,
  event: AnyRecordedEvent,
  handle: Handle,
): Promise<void> {
  const attempts = message.info.deliveryCount;
  const atWork = setInterval(() => message.working(), WORKING_EVERY);
  try {
    await handle(event, { attempt: attempts });
  } catch (thrown) {
    const delay = options.backoff[attempts - 1];
    if (delay !== undefined) {
      message.nak(delay);
      return;
    }
    await new JetStreamDeadLetters(link).bury({
      consumer: options.name,
      sequence: event.sequence,
      event: { id: event.id, type: event.type, aggregate: event.aggregate },
      attempts,
      error: describeError(thrown),
      failedAt: new Date().toISOString(),
    });
  } finally {
    clearInterval(atWork);
  }
  await whileConnected(link, () => message.ackAck());
}

async function loadEvent(link: NatsLink, sequence: number): Promise<AnyRecordedEvent> {
  const { streams } = await link.manager();
  const message = await withPatience(link, `loading event ${sequence}`, () =>
    streams.getMessage(EVENTS_STREAM, { seq: sequence }),
  );
  if (!message) {
    throw new CatenaError('event-log.no-event', `The log has no event ${sequence}.`, {
      details: { sequence },
    });
  }
  return decodeEvent(eventOfStored(message));
}

/** Lets one piece of work run at a time, in the order they came. */
class Turns {
  #last: Promise<void> = Promise.resolve();

  take(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {
      // The one who took the turn hears of it; the next one is not concerned.
    });
    return turn;
  }
}
