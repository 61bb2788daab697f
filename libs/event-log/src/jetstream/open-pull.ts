import type { Consumer, FetchMessages, JsMsg } from '@nats-io/jetstream';

/** The messages of one bounded request to a consumer, until it is served, expires or the signal aborts. */
export async function* openPull(
  consumer: Consumer,
  options: FetchMessages,
  signal: AbortSignal | undefined,
): AsyncGenerator<JsMsg> {
  if (signal?.aborted) return;
  const pull = await consumer.fetch(options);
  const stop = () => pull.stop();
  signal?.addEventListener('abort', stop, { once: true });
  // The signal may have aborted while the request was made; its listeners are not told again.
  if (signal?.aborted) stop();
  try {
    yield* pull;
  } finally {
    signal?.removeEventListener('abort', stop);
    pull.stop();
  }
}
