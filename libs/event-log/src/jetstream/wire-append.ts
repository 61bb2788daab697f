import { PubHeaders } from '@nats-io/jetstream';
import type { AppendPart, PreparedAppend } from '../port/event-log.ts';
import { prepareAppend, type PreparedMessage } from '../record/prepare-append.ts';
import { wireHeaders, type WireMessage } from './publish-events.ts';

/** An append as it goes to the server: encoded, hashed, and with all its headers but those of one try. */
export class WireAppend implements PreparedAppend {
  readonly parts: readonly AppendPart[];
  readonly messages: readonly PreparedMessage[];
  readonly wire: readonly WireMessage[];

  /** @throws as `prepareAppend`. */
  constructor(parts: readonly AppendPart[]) {
    this.parts = parts;
    this.messages = prepareAppend(parts);
    this.wire = this.messages.map(wireMessage);
  }
}

function wireMessage(message: PreparedMessage): WireMessage {
  const headers = wireHeaders(message.headers);
  headers.set(PubHeaders.MsgIdHdr, message.id);
  if (message.expectation) {
    headers.set(PubHeaders.ExpectedLastSubjectSequenceHdr, String(message.expectation.sequence));
    headers.set(PubHeaders.ExpectedLastSubjectSequenceSubjectHdr, message.expectation.filter);
  }
  return { subject: message.subject, data: message.data, headers };
}
