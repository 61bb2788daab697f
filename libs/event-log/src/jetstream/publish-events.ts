import { JetStreamApiError, type PubAck } from '@nats-io/jetstream';
import { headers as newHeaders, nuid, type MsgHdrs } from '@nats-io/nats-core';
import { AppendRefusedError } from '../port/errors.ts';
import type { StoredHeaders } from '../record/stored-event.ts';
import { isTransient } from './nats-errors.ts';
import type { NatsLink } from './nats-link.ts';

/** How long to wait for the acknowledgement of one try, in milliseconds. */
const ACKNOWLEDGEMENT_TIMEOUT = 5_000;

/** wrong last sequence, without and with the sequence that it is. */
const WRONG_LAST_SEQUENCE = new Set([10071, 10164]);
/** atomic publish batch contains duplicate message id */
const DUPLICATE_IN_BATCH = 10201;
/** insufficient resources, insufficient storage resources available, stream store failed: the disk or a limit is full. */
const STORE_FULL = new Set([10023, 10047, 10077]);

/**
 * What the server said to one try. `seen`: it has a message with one of our ids, or an aggregate is not where it was
 * expected; which of the two, and whose events are there, only the log tells.
 */
export type PublishOutcome =
  | { readonly kind: 'stored'; readonly lastSequence: number }
  | { readonly kind: 'seen'; readonly because: 'expectation' | 'duplicate' };

/**
 * Sends an append once: a single event as a plain publish, several as one atomic batch.
 * @throws AppendRefusedError when the server will not take it; what is transient as the client throws it, and then
 * whether it was stored is not known.
 */
export async function publishOnce(link: NatsLink, messages: readonly WireMessage[]): Promise<PublishOutcome> {
  return await outcomeOf(() =>
    messages.length === 1 ? publishSingle(link, messages) : sendBatch(link, messages),
  );
}

/** What one try came to; the errors as `publishOnce` has them. */
export async function outcomeOf(send: () => Promise<PubAck>): Promise<PublishOutcome> {
  try {
    const ack = await send();
    if (ack.duplicate) return { kind: 'seen', because: 'duplicate' };
    return { kind: 'stored', lastSequence: ack.seq };
  } catch (thrown) {
    if (!(thrown instanceof JetStreamApiError)) throw thrown;
    if (WRONG_LAST_SEQUENCE.has(thrown.code)) return { kind: 'seen', because: 'expectation' };
    if (thrown.code === DUPLICATE_IN_BATCH) return { kind: 'seen', because: 'duplicate' };
    if (STORE_FULL.has(thrown.code)) throw full(thrown);
    if (isTransient(thrown)) throw thrown;
    throw refused(thrown);
  }
}

async function publishSingle(link: NatsLink, [message]: readonly WireMessage[]): Promise<PubAck> {
  if (!message) throw new RangeError('an append has at least one event');
  const { subject, data, headers } = message;
  return await link.js.publish(subject, data, { headers, timeout: ACKNOWLEDGEMENT_TIMEOUT });
}

/** A message with all its headers. */
export interface WireMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
}

/**
 * Sends messages as one atomic batch. The client's own `startBatch` waits for a reply to the first message and hides
 * the server's error code of the commit, which the retry rule needs; so the batch headers (NATS ADR-50) are set here.
 * The answer to the commit stands for all.
 */
export async function sendBatch(link: NatsLink, messages: readonly WireMessage[]): Promise<PubAck> {
  const batch = nuid.next();
  messages.forEach(({ headers }, index) => {
    headers.set('Nats-Batch-Id', batch);
    headers.set('Nats-Batch-Sequence', String(index + 1));
  });
  const last = messages.at(-1);
  if (!last) throw new RangeError('a batch has at least one message');
  for (const { subject, data, headers } of messages.slice(0, -1))
    link.nats.publish(subject, data, { headers });
  last.headers.set('Nats-Batch-Commit', '1');
  return await link.js.publish(last.subject, last.data, {
    headers: last.headers,
    timeout: ACKNOWLEDGEMENT_TIMEOUT,
  });
}

/** An event's headers for the wire. */
export function wireHeaders(stored: StoredHeaders): MsgHdrs {
  const headers = newHeaders();
  for (const [name, value] of stored) headers.set(name, value);
  return headers;
}

function refused(cause: JetStreamApiError): AppendRefusedError {
  return new AppendRefusedError(`the server says "${cause.message}" (${cause.code})`, {
    remedy: 'Check the settings of the stream with "catena doctor".',
    details: { serverCode: cause.code },
    cause,
  });
}

function full(cause: JetStreamApiError): AppendRefusedError {
  return new AppendRefusedError(`the server cannot store it: "${cause.message}" (${cause.code})`, {
    remedy:
      'Make room on the disk of the NATS server, or raise its limits; nothing was lost and it then goes on.',
    retryable: true,
    details: { serverCode: cause.code },
    cause,
  });
}
