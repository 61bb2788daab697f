import { catalogRequests } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import { AnswersRequest, EVENT_LOG } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { RetentionService } from '../retention/retention.service.ts';
import { Projection } from '../projection/projection.ts';
import { SubscriptionRunner } from '../subscriptions/subscription-runner.ts';

/** How the catalog itself is, and the command to build its read models anew. */
@Controller()
export class StatusController {
  constructor(
    @Inject(Projection) private readonly projection: Projection,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(RetentionService) private readonly retention: RetentionService,
    @Inject(SubscriptionRunner) private readonly subscriptions: SubscriptionRunner,
  ) {}

  @AnswersRequest(catalogRequests.catalogStatus)
  async status() {
    const [logSequence, deadLetters, failingDeliveries, { stopped, ...state }] = await Promise.all([
      this.log.lastSequence(),
      this.log.deadLetters.count(),
      this.subscriptions.failing(),
      this.projection.queries().then((queries) => queries.state()),
    ]);
    const retentionHeldBack = this.retention.heldBack();
    return {
      ...state,
      ...(stopped === undefined ? {} : { stopped }),
      logSequence,
      deadLetters,
      ...(retentionHeldBack === undefined ? {} : { retentionHeldBack }),
      failingDeliveries,
    };
  }

  @AnswersRequest(catalogRequests.rebuildCatalog)
  async rebuild() {
    return await this.projection.rebuild();
  }

  @AnswersRequest(catalogRequests.compareCatalog)
  async compare() {
    const { sequence, identical, differing } = await this.projection.compare();
    return { sequence, identical, differing: [...differing] };
  }
}
