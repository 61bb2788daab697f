import { JetStreamError, PubHeaders } from '@nats-io/jetstream';
import { eventHash } from '../record/event-hash.ts';
import { storedEventId } from '../record/decode-event.ts';
import { notNext, restoredEvent } from '../record/restored-event.ts';
import type { StoredEvent } from '../record/stored-event.ts';
import type { NatsLink } from './nats-link.ts';
import { outcomeOf, sendBatch, wireHeaders, type WireMessage } from './publish-events.ts';
import { eventOfStored } from './stored-message.ts';
import { EVENTS_STREAM } from './stream-settings.ts';
import { withPatience } from './with-patience.ts';

/**
 * Writes events to the places they had in another log, as one batch that expects the log to end right before them.
 * Repeated like an append while the outcome is not known.
 */
export async function restoreEvents(
  link: NatsLink,
  events: readonly StoredEvent[],
  patienceMilliseconds: number,
): Promise<void> {
  const [first] = events;
  const last = events.at(-1);
  if (!first || !last) return;
  await withPatience(
    link,
    'restoring events',
    async () => {
      const outcome = await outcomeOf(() => sendBatch(link, wireMessages(events)));
      if (outcome.kind === 'stored') return;
      if (await isThere(link, last)) return;
      const { state } = await (await link.manager()).streams.info(EVENTS_STREAM);
      if (state.last_seq !== first.sequence - 1) throw notNext(first.sequence, state.last_seq);
      throw new JetStreamError('the server refused the last sequence of a log that is at it');
    },
    { patienceMilliseconds },
  );
}

function wireMessages(events: readonly StoredEvent[]): WireMessage[] {
  return events.map(restoredEvent).map((event, index) => {
    const headers = wireHeaders(event.headers);
    headers.set(PubHeaders.MsgIdHdr, storedEventId(event) ?? '');
    if (index === 0) headers.set(PubHeaders.ExpectedLastSeqHdr, String(event.sequence - 1));
    return { subject: event.subject, data: event.data, headers };
  });
}

async function isThere(link: NatsLink, event: StoredEvent): Promise<boolean> {
  const { streams } = await link.manager();
  const message = await streams.getMessage(EVENTS_STREAM, { seq: event.sequence });
  return message !== null && eventHash(eventOfStored(message)) === eventHash(event);
}
