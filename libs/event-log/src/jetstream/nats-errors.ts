import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import { errors } from '@nats-io/nats-core';
import { CatenaError } from '@catena/events';
import { StreamMissingError } from './stream-problems.ts';

/** Whether the same may work later without anybody's help: the server is away, restarting or busy. */
export function isTransient(thrown: unknown): boolean {
  if (thrown instanceof JetStreamApiError) {
    return thrown.status === UNAVAILABLE || thrown.status === TOO_MANY || TRANSIENT_CODES.has(thrown.code);
  }
  if (isPermissionViolation(thrown) || isClosed(thrown)) return false;
  return (
    thrown instanceof errors.TimeoutError ||
    thrown instanceof errors.RequestError ||
    thrown instanceof errors.NoRespondersError ||
    thrown instanceof errors.ConnectionError ||
    thrown instanceof JetStreamError ||
    (thrown instanceof Error && thrown.name === 'JetStreamNotEnabled')
  );
}

const UNAVAILABLE = 503;
const TOO_MANY = 429;

/**
 * consumer not found (10014): it went with a restart of the server and is made again; atomic publish batch is
 * incomplete (10176): a part was lost with a connection, or there was no room among the batches in flight.
 */
const TRANSIENT_CODES = new Set<number>([10014, 10176]);

const STREAM_NOT_FOUND = 10059;

/** Whether the connection was closed for good, by us or after the patience ran out. */
export function isClosed(thrown: unknown): boolean {
  return has(thrown, errors.ClosedConnectionError) || has(thrown, errors.DrainingConnectionError);
}

export function isPermissionViolation(thrown: unknown): boolean {
  return has(thrown, errors.PermissionViolationError);
}

/** Some errors of the client come wrapped into others. */
function has(thrown: unknown, kind: new (...parameters: never[]) => Error): boolean {
  if (thrown instanceof kind) return true;
  return thrown instanceof Error && thrown.cause !== undefined && has(thrown.cause, kind);
}

/** What the client threw, as an error of Catena's; those that are already stay as they are. */
export function asCatenaError(thrown: unknown, doing: string): unknown {
  if (thrown instanceof CatenaError) return thrown;
  if (thrown instanceof JetStreamApiError && thrown.code === STREAM_NOT_FOUND)
    return new StreamMissingError(doing);
  if (isClosed(thrown)) {
    return new CatenaError('nats.closed', `The connection to NATS is closed: ${doing}.`, {
      retryable: true,
      cause: thrown,
    });
  }
  if (isPermissionViolation(thrown)) {
    return new CatenaError('nats.not-permitted', `NATS does not permit this user: ${doing}.`, {
      remedy: 'Use the account of this service, or give it the permissions of infra/nats/accounts.conf.',
      cause: thrown,
    });
  }
  if (thrown instanceof JetStreamApiError) {
    return new CatenaError('nats.refused', `NATS refused: ${doing}: ${thrown.message} (${thrown.code}).`, {
      remedy: 'Run "catena doctor"; it compares the server and its streams with what is needed.',
      details: { serverCode: thrown.code },
      cause: thrown,
    });
  }
  return thrown;
}
