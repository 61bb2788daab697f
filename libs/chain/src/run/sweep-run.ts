import type { DefinitionSnapshot, Failure, MoverReport, RunPlan, RunRequest } from '@catena/events';
import { deletionRefused } from './may-delete.ts';

type SweepRequest = Extract<RunRequest, { kind: 'sweep' }>;
type SweepPlan = Extract<RunPlan, { kind: 'sweep' }>;
type Swept = Extract<MoverReport['outcome'], { kind: 'completed' }>['swept'];

/** Milliseconds for which a run must be over, before what it left is removed: whoever is late has given up by then. */
export const SWEEP_GRACE = 24 * 3_600_000;

/** Plans the removal of leftovers. Which they are is seen by who looks; which runs are over, he asks the log. */
export function planSweep(
  { dryRun, grace }: SweepRequest,
  repository: DefinitionSnapshot,
): { readonly plan: SweepPlan } | { readonly failure: Failure } {
  const failure = dryRun ? undefined : deletionRefused(repository);
  if (failure !== undefined) return { failure };
  return { plan: { kind: 'sweep', repository, dryRun, grace: grace ?? SWEEP_GRACE } };
}

/** What a sweep says of itself when it is done. */
export function sweepDetail(plan: SweepPlan, swept: Swept): Record<string, unknown> {
  return { dryRun: plan.dryRun, ...swept };
}
