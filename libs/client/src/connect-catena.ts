import { connectNats, openEventLog, openMessages, type NatsOptions } from '@catena/event-log';
import { CatenaClient } from './catena-client.ts';

/**
 * Connects a program to a platform.
 * @throws CatenaError `nats.unreachable`, `nats.unauthorized`, or what is wrong with the log's stream.
 */
export async function connectCatena(options: NatsOptions): Promise<CatenaClient> {
  const link = await connectNats(options);
  try {
    const log = await openEventLog(link);
    const messages = openMessages(link);
    return new CatenaClient({ log, messages, close: () => link.close() });
  } catch (error) {
    await link.close();
    throw error;
  }
}
