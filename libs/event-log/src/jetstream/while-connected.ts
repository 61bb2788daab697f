import { errors } from '@nats-io/nats-core';
import type { NatsLink } from './nats-link.ts';

/**
 * Waits for an answer as long as the connection it was asked on lasts: the client itself would wait for its time-out.
 * @throws ConnectionError (transient) when the connection is lost first; whether the server acted is not known then.
 */
export async function whileConnected<T>(link: NatsLink, work: () => Promise<T>): Promise<T> {
  if (link.status === 'closed') throw new errors.ClosedConnectionError();
  if (link.status === 'disconnected') throw new errors.ConnectionError('the server cannot be reached');
  const lost = link.loss();
  const answer = work();
  try {
    return await Promise.race([
      answer,
      lost.happened.then(() => {
        throw new errors.ConnectionError('the connection was lost');
      }),
    ]);
  } finally {
    lost.forget();
    // Nobody listens to what comes after the loss.
    answer.catch(() => undefined);
  }
}
