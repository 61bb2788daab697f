import { EventNotUnderstoodError } from '@catena/events';
import { CannotApplyError } from '../projectors/cannot-apply-error.ts';

/**
 * What a failure asks for: `event`: the same event fails for ever, so stop; `data`: one event of the batch holds what a
 * table cannot, so find it; `again`: the world around is not as it should be, so wait and go on from the position.
 */
export type FailureKind = 'event' | 'data' | 'again';

export function failureKind(error: unknown): FailureKind {
  if (error instanceof CannotApplyError || error instanceof EventNotUnderstoodError) return 'event';
  const code = (error as { code?: unknown } | undefined)?.code;
  // SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation).
  return typeof code === 'string' && /^2[23][0-9A-Z]{3}$/.test(code) ? 'data' : 'again';
}
