import type { RecordedEvent } from '@catena/events';
import { HandlesEvents } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { PlannerService } from './planner.service.ts';

/** Delays of an event that could not be handled; after them the reconciler goes on. */
const BACKOFF = [200, 1_000, 5_000, 15_000, 60_000];

type Over = RecordedEvent<'run.completed' | 'run.failed' | 'run.cancelled' | 'run.refused'>;

/** Requests and outcomes as they appear in the log; shared by all catalogs. */
@Controller()
export class PlannerController {
  constructor(@Inject(PlannerService) private readonly planner: PlannerService) {}

  @HandlesEvents({ name: 'chain-catalog-planner', types: ['run.requested'], backoff: BACKOFF })
  async requested(event: RecordedEvent<'run.requested'>): Promise<void> {
    await this.planner.planRequested(event.aggregate.id, event.sequence);
  }

  @HandlesEvents({
    name: 'chain-catalog-successor',
    types: ['run.completed', 'run.failed', 'run.cancelled', 'run.refused'],
    backoff: BACKOFF,
  })
  async over(event: Over): Promise<void> {
    await this.planner.planWaiting(event.sequence);
  }
}
