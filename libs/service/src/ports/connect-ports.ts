import {
  connectNats,
  openEventLog,
  openJobQueue,
  openMessages,
  openSnapshotStore,
  StreamMissingError,
  type EventLog,
  type JobQueue,
  type Messages,
  type NatsLink,
  type Snapshots,
} from '@catena/event-log';
import type { ServiceConfiguration } from '../configuration/service-configuration.ts';
import { pause } from '../lifecycle/pause.ts';
import type { Log } from '../logging/log.ts';
import type { ServiceIdentity } from './identity.ts';

/** The connections of one process. */
export interface Ports {
  readonly eventLog: EventLog;
  readonly jobQueue: JobQueue;
  readonly messages: Messages;
  readonly snapshots: Snapshots;
  close(): Promise<void>;
}

const STREAM_RETRY_MILLISECONDS = 500;

/**
 * Connects to NATS and opens the ports on it; waits for a server and for streams that are not there yet.
 * @throws CatenaError for wrong credentials and for a log that could lose events.
 */
export async function connectPorts(
  configuration: ServiceConfiguration,
  identity: ServiceIdentity,
  log: Log,
): Promise<Ports> {
  const link = await connectNats({
    url: configuration.CATENA_NATS_URL,
    user: configuration.CATENA_NATS_USER,
    password: configuration.CATENA_NATS_PASSWORD?.reveal(),
    name: identity.actor,
    onStatus: (status) => log.info('connection to NATS', { status }),
  });
  const eventLog = await openOnceSetUp(link, log);
  const jobQueue = openJobQueue(link, {
    ackWaitMilliseconds: configuration.CATENA_JOB_WAIT_SECONDS * 1_000,
  });
  const messages = openMessages(link, {
    onProblem: (problem) => log.warn('a message was not understood', { error: problem }),
  });
  const snapshots = {
    store: openSnapshotStore(link),
    onFailure: (error: unknown) => log.warn('without a snapshot: an aggregate is read whole', { error }),
  };
  return {
    eventLog,
    jobQueue,
    messages,
    snapshots,
    close: async () => {
      await jobQueue.close();
      await messages.close();
      await eventLog.close();
      await link.close();
    },
  };
}

async function openOnceSetUp(link: NatsLink, log: Log): Promise<EventLog> {
  for (let asked = 0; ; asked += 1) {
    try {
      return await openEventLog(link);
    } catch (error) {
      if (!(error instanceof StreamMissingError)) throw error;
      if (asked === 0) log.warn('waiting for the streams to be set up', { error });
      await pause(STREAM_RETRY_MILLISECONDS);
    }
  }
}
