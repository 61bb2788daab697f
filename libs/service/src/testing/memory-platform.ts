import {
  MemoryEventLog,
  MemoryJobQueue,
  MemoryMessages,
  MemorySnapshotStore,
  type EventLog,
  type JobQueue,
  type Messages,
  type Snapshots,
} from '@catena/event-log';
import { readConfiguration } from '../configuration/read-configuration.ts';
import { serviceConfiguration } from '../configuration/service-configuration.ts';
import { Readiness } from '../health/readiness.ts';
import { BackgroundWork } from '../lifecycle/background-work.ts';
import { Log } from '../logging/log.ts';
import { systemClock, type Clock } from '../ports/clock.ts';
import { ServiceIdentity } from '../ports/identity.ts';
import type { Platform } from '../ports/platform-module.ts';

/** The ports that several services of one test share. */
export interface SharedPorts {
  readonly eventLog: EventLog;
  readonly jobQueue: JobQueue;
  readonly messages: Messages;
  readonly snapshots: Snapshots;
}

export function memoryPorts(options: { ackWaitMilliseconds?: number } = {}): SharedPorts {
  return {
    eventLog: new MemoryEventLog(),
    jobQueue: new MemoryJobQueue(options),
    messages: new MemoryMessages(),
    snapshots: {
      store: new MemorySnapshotStore(),
      onFailure: (error) => {
        throw error;
      },
    },
  };
}

export interface TestPlatform extends Platform {
  /** What was logged, line by line as parsed JSON. */
  readonly lines: Record<string, unknown>[];
}

/** What a service stands on in a test; `CATENA_TEST_LOG=1` shows its log as well. */
export function testPlatform(
  service: string,
  instance: string,
  ports: SharedPorts,
  clock: Clock = systemClock,
  environment: Readonly<Record<string, string>> = {},
): TestPlatform {
  const identity = new ServiceIdentity(service, instance);
  const lines: Record<string, unknown>[] = [];
  const log = new Log({
    service,
    instance,
    level: 'debug',
    format: 'json',
    write: (line) => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
      if (process.env['CATENA_TEST_LOG'] === '1') process.stderr.write(line);
    },
  });
  const readiness = new Readiness();
  return {
    ...ports,
    identity,
    configuration: readConfiguration(serviceConfiguration, { CATENA_INSTANCE: instance, ...environment }),
    log,
    readiness,
    work: new BackgroundWork(log, readiness),
    clock,
    lines,
  };
}
