import type { AnyDomainEvent, ErrorDescription, EventData, EventType } from '@catena/events';

/**
 * What a decider answers: the events to append together, or why nothing may happen. No events means that what was
 * asked for is so already; the caller answers as it did the first time.
 */
export type Decision =
  | { readonly accepted: true; readonly events: readonly AnyDomainEvent[] }
  | { readonly accepted: false; readonly refusal: ErrorDescription };

export const NOTHING_TO_DO: Decision = { accepted: true, events: [] };

/** An event without its context: recorded and decided events both fit, so both can be folded. */
export type FoldableEvent = {
  [T in EventType]: { readonly type: T; readonly data: EventData<T> };
}[EventType];

export function accept(...events: AnyDomainEvent[]): Decision {
  return { accepted: true, events };
}

/** A refusal that names the thing and the rule; `code` is stable. */
export function refuse(
  code: string,
  message: string,
  more: { remedy?: string; retryable?: boolean; details?: Record<string, unknown> } = {},
): Decision & { accepted: false } {
  return { accepted: false, refusal: { code, message, retryable: false, ...more } };
}
