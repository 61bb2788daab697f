import type { RunPlan } from '@catena/events';
import { sharingOf } from '@catena/schedule';

/** Whose movers carry a plan out: where the source is read or written the source's, else the repository's. */
export function poolOfPlan(plan: RunPlan): string {
  const works = plan.kind === 'backup' || plan.kind === 'restore' ? plan.source : plan.repository;
  return sharingOf(works.spec).pool;
}
