import type { EventLog, JobQueue, Messages, Snapshots } from '@catena/event-log';
import { Module, type DynamicModule } from '@nestjs/common';
import type { ServiceConfiguration } from '../configuration/service-configuration.ts';
import { Readiness } from '../health/readiness.ts';
import { BackgroundWork } from '../lifecycle/background-work.ts';
import { Log } from '../logging/log.ts';
import type { Clock } from './clock.ts';
import { ServiceIdentity } from './identity.ts';
import { CLOCK, CONFIGURATION, EVENT_LOG, JOB_QUEUE, MESSAGES, SNAPSHOTS } from './tokens.ts';

/** What a service stands on; in tests the ports are the in-memory ones. */
export interface Platform {
  readonly identity: ServiceIdentity;
  readonly configuration: ServiceConfiguration;
  readonly eventLog: EventLog;
  readonly jobQueue: JobQueue;
  readonly messages: Messages;
  readonly snapshots: Snapshots;
  readonly log: Log;
  readonly readiness: Readiness;
  readonly work: BackgroundWork;
  readonly clock: Clock;
}

/** Gives the platform to every module of the service. */
@Module({})
export class PlatformModule {
  static of(platform: Platform): DynamicModule {
    const providers = [
      { provide: EVENT_LOG, useValue: platform.eventLog },
      { provide: JOB_QUEUE, useValue: platform.jobQueue },
      { provide: MESSAGES, useValue: platform.messages },
      { provide: SNAPSHOTS, useValue: platform.snapshots },
      { provide: CONFIGURATION, useValue: platform.configuration },
      { provide: CLOCK, useValue: platform.clock },
      { provide: ServiceIdentity, useValue: platform.identity },
      { provide: Log, useValue: platform.log },
      { provide: Readiness, useValue: platform.readiness },
      { provide: BackgroundWork, useValue: platform.work },
    ];
    return {
      module: PlatformModule,
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
