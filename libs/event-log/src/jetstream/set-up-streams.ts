import { JetStreamApiError, type StreamInfo } from '@nats-io/jetstream';
import { asCatenaError } from './nats-errors.ts';
import type { NatsLink } from './nats-link.ts';
import {
  checkServerVersion,
  StreamMisconfiguredError,
  StreamMissingError,
  wrongSettings,
} from './stream-problems.ts';
import { EVENTS_SETTINGS, EVENTS_STREAM, OTHER_STREAMS } from './stream-settings.ts';
import { withPatience } from './with-patience.ts';

const STREAM_NOT_FOUND = 10059;

/**
 * Sets the streams up, with the operator's account; harmless when repeated. The log's stream is made or left as it is,
 * never changed; the others are brought to their settings.
 * @throws StreamMisconfiguredError when a log is there that could lose events.
 */
export async function ensureStreams(link: NatsLink, options: { replicas?: number } = {}): Promise<void> {
  const { streams } = await link.manager();
  const replicas = { num_replicas: options.replicas ?? 1 };
  await withPatience(link, 'setting up the streams', async () => {
    checkServerVersion(link.server()?.version ?? '');
    const log =
      (await infoOf(link, EVENTS_STREAM)) ??
      (await streams.add({ ...EVENTS_SETTINGS, subjects: [...EVENTS_SETTINGS.subjects], ...replicas }));
    refuseWrong(log);
    for (const settings of OTHER_STREAMS) {
      if (await infoOf(link, settings.name)) await streams.update(settings.name, settings);
      else await streams.add({ ...settings, ...replicas });
    }
  });
}

/**
 * Checks at every start that the log's stream is there and append-only.
 * @throws StreamMissingError (retryable), StreamMisconfiguredError naming every wrong setting, CatenaError
 * `event-log.server-too-old`.
 */
export async function checkEventStream(link: NatsLink): Promise<void> {
  await withPatience(link, 'checking the stream of the log', async () => {
    checkServerVersion(link.server()?.version ?? '');
    const info = await infoOf(link, EVENTS_STREAM);
    if (!info) throw new StreamMissingError(`${EVENTS_STREAM} is missing`);
    refuseWrong(info);
  });
}

function refuseWrong(info: StreamInfo): void {
  const wrong = wrongSettings(info.config);
  if (wrong.length > 0) throw new StreamMisconfiguredError(wrong);
}

async function infoOf(link: NatsLink, stream: string): Promise<StreamInfo | undefined> {
  try {
    return await (await link.manager()).streams.info(stream);
  } catch (thrown) {
    if (thrown instanceof JetStreamApiError && thrown.code === STREAM_NOT_FOUND) return undefined;
    throw asCatenaError(thrown, `asking for the stream ${stream}`);
  }
}
