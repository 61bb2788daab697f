import type { EventLog, JobQueue, Messages } from '@catena/event-log';

/** The connections of one process. */
export interface Ports {
  readonly eventLog: EventLog;
  readonly jobQueue: JobQueue;
  readonly messages: Messages;
  close(): Promise<void>;
}
