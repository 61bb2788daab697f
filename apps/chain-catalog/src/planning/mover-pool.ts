import type { RunPlan, RunRequest } from '@catena/events';
import { sharingOf } from '@catena/schedule';

/** As what a run is in the queue. A stream lasts, so it must not take the place of what ends. */
export function jobOf(request: RunRequest): string {
  return request.kind === 'backup' && request.stream !== undefined ? 'stream' : request.kind;
}

/** Whose movers carry a plan out: where the source is read or written the source's, else the repository's. */
export function poolOfPlan(plan: RunPlan): string {
  const works = plan.kind === 'backup' || plan.kind === 'restore' ? plan.source : plan.repository;
  return sharingOf(works.spec).pool;
}
