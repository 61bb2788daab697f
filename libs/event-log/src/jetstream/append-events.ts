import { JetStreamError } from '@nats-io/jetstream';
import { errors } from '@nats-io/nats-core';
import { aggregateFilter, type AggregateRef } from '@catena/events';
import { AppendRefusedError, ConcurrencyConflictError, LogNotStoringError } from '../port/errors.ts';
import {
  EMPTY_HEAD,
  type AggregateHead,
  type AppendPart,
  type AppendResult,
  type PreparedAppend,
} from '../port/event-log.ts';
import { storedEventId } from '../record/decode-event.ts';
import { eventHash } from '../record/event-hash.ts';
import { resultOfRepeated } from '../record/own-events.ts';
import { partsOf, resultOfStored, type PreparedMessage } from '../record/prepare-append.ts';
import type { NatsLink } from './nats-link.ts';
import { publishOnce } from './publish-events.ts';
import { pullBatches } from './pull-events.ts';
import { eventOfDelivery, eventOfStored } from './stored-message.ts';
import { EVENTS_STREAM } from './stream-settings.ts';
import { WireAppend } from './wire-append.ts';
import { withPatience } from './with-patience.ts';

/**
 * Appends by the retry rule of architecture.md section 3. While the outcome of a try is not known, the same messages
 * are sent again: expectation and ids let the server store them at most once, so the next answer is a definite one.
 * When the server has seen them or has another event in their place, the log is read forward from the expected
 * sequences for our own ids — never only its last message, because others may have appended behind us.
 */
export async function appendEvents(
  link: NatsLink,
  append: readonly AppendPart[] | PreparedAppend,
  patienceMilliseconds: number,
): Promise<AppendResult> {
  const { parts, messages, wire } = append instanceof WireAppend ? append : new WireAppend(partsOf(append));
  checkSizes(link, messages);
  let unanswered = 0;
  return await withPatience(
    link,
    'appending',
    async () => {
      const outcome = await publishOnce(link, wire).catch(async (thrown: unknown) => {
        if (!(thrown instanceof errors.TimeoutError)) throw thrown;
        unanswered += 1;
        // Once may be a lost message, or a disk that is slow for a moment.
        if (unanswered > 1 && (await answersQuestions(link))) throw new LogNotStoringError(thrown);
        throw thrown;
      });
      if (outcome.kind === 'stored')
        return resultOfStored(messages, outcome.lastSequence - messages.length + 1);
      const ahead = resultOfRepeated(parts, messages, await findOurs(link, parts, messages, 'ahead'));
      if (ahead) return ahead;
      if (outcome.because === 'expectation') await throwConflict(link, parts);
      return await repeatedEarlier(link, parts, messages);
    },
    { patienceMilliseconds },
  );
}

/** Whether the server is there for the log, so that its silence means this append. */
async function answersQuestions(link: NatsLink): Promise<boolean> {
  try {
    await (await link.manager()).streams.info(EVENTS_STREAM);
    return true;
  } catch {
    return false;
  }
}

/** The server knows an id of ours, but not after the expected heads: the same decision was stored before them. */
async function repeatedEarlier(
  link: NatsLink,
  parts: readonly AppendPart[],
  messages: readonly PreparedMessage[],
): Promise<AppendResult> {
  const earlier = resultOfRepeated(parts, messages, await findOurs(link, parts, messages, 'anywhere'));
  if (earlier) return earlier;
  throw new AppendRefusedError(
    'the server has a message with the id of one of its events, which is not in the log',
    {
      remedy: 'Decide again as a new command.',
      details: { ids: messages.map((message) => message.id) },
    },
  );
}

/** Where our ids are on the aggregates of the append. */
async function findOurs(
  link: NatsLink,
  parts: readonly AppendPart[],
  messages: readonly PreparedMessage[],
  where: 'ahead' | 'anywhere',
): Promise<Map<string, AggregateHead>> {
  const ours = new Set(messages.map((message) => message.id));
  const found = new Map<string, AggregateHead>();
  for (const { aggregate, expected } of parts) {
    const from = where === 'ahead' ? expected.sequence + 1 : 1;
    const filters = [aggregateFilter(aggregate)];
    for await (const batch of pullBatches(link, {
      stream: EVENTS_STREAM,
      from,
      filters,
      batch: 500,
      untilEnd: true,
    })) {
      for (const event of batch.map(eventOfDelivery)) {
        const id = storedEventId(event);
        if (id !== undefined && ours.has(id))
          found.set(id, { sequence: event.sequence, hash: eventHash(event) });
      }
    }
  }
  return found;
}

async function throwConflict(link: NatsLink, parts: readonly AppendPart[]): Promise<never> {
  for (const { aggregate, expected } of parts) {
    const { sequence } = await headOf(link, aggregate);
    if (sequence !== expected.sequence)
      throw new ConcurrencyConflictError(aggregate, expected.sequence, sequence);
  }
  // Another append to the aggregate was on its way through the server; the next try sees it.
  throw new JetStreamError('the server refused expected sequences of aggregates that are at them');
}

/** The head of an aggregate, asked of the stream's leader. */
export async function headOf(link: NatsLink, aggregate: AggregateRef): Promise<AggregateHead> {
  const { streams } = await link.manager();
  const message = await streams.getMessage(EVENTS_STREAM, { last_by_subj: aggregateFilter(aggregate) });
  if (!message) return EMPTY_HEAD;
  const event = eventOfStored(message);
  return { sequence: event.sequence, hash: eventHash(event) };
}

/** A message beyond the server's limit would end the connection instead of being refused. */
function checkSizes(link: NatsLink, messages: readonly PreparedMessage[]): void {
  const limit = link.server()?.maxPayload;
  if (limit === undefined) return;
  const headroom = 4096;
  for (const { data, subject } of messages) {
    if (data.byteLength + headroom <= limit) continue;
    throw new AppendRefusedError(
      `the event ${subject} has ${data.byteLength} bytes, and the server takes ${limit}`,
      {
        remedy: 'Raise max_payload of the NATS server, or make the event smaller.',
        details: { bytes: data.byteLength, limit },
      },
    );
  }
}
