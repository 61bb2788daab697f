import { z } from 'zod';
import { aggregateTypes, eventTypes, type EventType } from '@catena/events';
import { exactlyOneOf, fields, listOf, mismatch, text } from '../shape/building-blocks.ts';
import { referenceTo } from './metadata.ts';
import { referenceOf, type SecretReference } from './repository.ts';
import { secretReference } from './secret-reference.ts';

const webhookUrl = text('an http or https address').superRefine((address, context) => {
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    mismatch(context, 'an http or https address');
    return;
  }
  const { username, password } = new URL(address);
  if (username !== '' || password !== '') {
    mismatch(context, 'an address without user and password', {
      code: 'definition.secret-in-clear',
      remedy: 'The receiver knows us by the signature made with `secret`.',
    });
  }
});

const target = exactlyOneOf(
  {
    webhook: fields({
      url: webhookUrl.describe('Gets each event as a CloudEvent by POST.'),
      secret: secretReference
        .optional()
        .describe('Signs each request, so the receiver can tell it is ours. Absent: not signed.'),
    }).optional(),
    command: listOf(text('a word of a command'), 'a list: program and arguments')
      .min(1, { error: 'a list: program and arguments' })
      .optional()
      .describe('Gets each event on its standard input. No shell: name one if you want one.'),
  },
  'exactly one of webhook, command',
);

/** An event type, or all of an aggregate: `run.*`. */
export type EventSelector = EventType | `${(typeof aggregateTypes)[number]}.*`;
const selectors: readonly EventSelector[] = [
  ...eventTypes,
  ...aggregateTypes.map((aggregate) => `${aggregate}.*` as const),
];

/** Who hears of what. */
export const subscriptionSpec = fields({
  events: listOf(
    z.enum(selectors, { error: 'an event type of docs/events.md, or all of an aggregate such as run.*' }),
    'a list of event types',
  )
    .min(1, { error: 'at least one event type' })
    .describe('The events that are delivered.'),
  sources: listOf(referenceTo('Source'), 'a list of sources')
    .min(1, { error: 'at least one source' })
    .optional()
    .describe('Only events that concern these sources; absent: all.'),
  to: target,
}).meta({ title: 'Subscription' });

/** A Subscription's spec. */
export interface SubscriptionSpec {
  readonly events: readonly EventSelector[];
  /** Absent: every source. */
  readonly sources?: readonly string[];
  readonly to:
    | { readonly webhook: { readonly url: string; readonly secret?: SecretReference } }
    | { readonly command: readonly string[] };
}

export function subscriptionWithDefaults(spec: z.infer<typeof subscriptionSpec>): SubscriptionSpec {
  const { webhook, command } = spec.to;
  return {
    events: spec.events,
    ...(spec.sources === undefined ? {} : { sources: spec.sources }),
    to: webhook
      ? { webhook: { url: webhook.url, ...(webhook.secret ? { secret: referenceOf(webhook.secret) } : {}) } }
      : { command: command ?? [] },
  };
}
