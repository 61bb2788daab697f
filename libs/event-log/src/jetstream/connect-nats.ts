import { setTimeout as delay } from 'node:timers/promises';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { CatenaError } from '@catena/events';
import type { NatsOptions } from './connection-options.ts';
import { NatsLink } from './nats-link.ts';

/** Between two tries to reach the server, in milliseconds. */
const RETRY_DELAY = 250;

/**
 * Connects to NATS. Services wait for ever and reconnect for ever; with a patience the first connection and any later
 * loss are bounded.
 * @throws CatenaError `nats.unreachable` (retryable) when the patience ran out, `nats.unauthorized` for wrong credentials.
 */
export async function connectNats(options: NatsOptions): Promise<NatsLink> {
  const patience = options.patienceMilliseconds ?? Number.POSITIVE_INFINITY;
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return new NatsLink(await connectOnce(options, patience), options);
    } catch (thrown) {
      if (thrown instanceof errors.AuthorizationError) throw unauthorized(options, thrown);
      if (performance.now() + RETRY_DELAY > deadline) throw unreachable(options, thrown);
    }
    await delay(RETRY_DELAY);
  }
}

function connectOnce(options: NatsOptions, patience: number): Promise<NatsConnection> {
  return connect({
    servers: options.url.split(',').map((url) => url.trim()),
    name: options.name,
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.password === undefined ? {} : { pass: options.password }),
    timeout: Math.min(5_000, Math.max(500, patience)),
    reconnect: true,
    maxReconnectAttempts: Number.isFinite(patience) ? Math.max(1, Math.ceil(patience / RETRY_DELAY)) : -1,
    reconnectTimeWait: RETRY_DELAY,
    reconnectJitter: 100,
    // A server that is stopped or cut off without closing its sockets is noticed within half a minute.
    pingInterval: 10_000,
    maxPingOut: 2,
    noAsyncTraces: true,
  });
}

function unauthorized(options: NatsOptions, cause: unknown): CatenaError {
  return new CatenaError(
    'nats.unauthorized',
    `The NATS server at ${options.url} does not accept the user "${options.user ?? ''}" with its password.`,
    {
      remedy: 'Check the credentials in the configuration.',
      details: { url: options.url, user: options.user },
      cause,
    },
  );
}

function unreachable(options: NatsOptions, cause: unknown): CatenaError {
  return new CatenaError(
    'nats.unreachable',
    `No NATS server answers at ${options.url}${cause instanceof Error ? `: ${cause.message}` : ''}.`,
    {
      remedy: 'Start the services with "catena up", or check the address.',
      retryable: true,
      details: { url: options.url },
      cause,
    },
  );
}
