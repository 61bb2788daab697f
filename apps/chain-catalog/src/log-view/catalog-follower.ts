import type { EventLog, Snapshots } from '@catena/event-log';
import { BackgroundWork, EVENT_LOG, Log, LogFollower, Readiness, SNAPSHOTS } from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

/** Reads the log for every view of the chain catalog; they join it when they are made. */
@Injectable()
export class CatalogFollower extends LogFollower implements OnApplicationBootstrap {
  constructor(
    @Inject(EVENT_LOG) eventLog: EventLog,
    @Inject(SNAPSHOTS) snapshots: Snapshots,
    @Inject(BackgroundWork) work: BackgroundWork,
    @Inject(Readiness) readiness: Readiness,
    @Inject(Log) log: Log,
  ) {
    super(
      { eventLog, snapshots, work, readiness, log },
      { who: 'chain catalog', kept: { aggregate: { type: 'collection', id: 'every' }, fold: 'views' } },
    );
  }

  onApplicationBootstrap(): void {
    this.start();
  }
}
