import { CatenaError } from '@catena/events';
import { failureMessage } from '../connection/failure-message.ts';

/** PostgreSQL does not answer. */
export class UnavailableError extends CatenaError {
  constructor(why: string, cause?: unknown) {
    super('read-store.unavailable', `The catalog's database does not answer: ${why}.`, {
      remedy: 'It is asked again as soon as it is back; check PostgreSQL when it stays away.',
      retryable: true,
      cause,
    });
  }
}

/** Connection exceptions, lack of resources, operator intervention; and whatever has no SQLSTATE, because nobody answered. */
const NOT_THE_QUESTION = /^(08|53|57)/;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Tells a database that is away from a question it refused, and from a mistake of ours. */
export function unavailableOr(error: unknown): unknown {
  if (error instanceof CatenaError || error instanceof TypeError) return error;
  const { code } = (error ?? {}) as { code?: unknown };
  const refused = typeof code === 'string' && SQLSTATE.test(code) && !NOT_THE_QUESTION.test(code);
  return refused ? error : new UnavailableError(failureMessage(error), error);
}
