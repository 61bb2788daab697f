import type { RestoreStop } from '@catena/events';
import type { RestorePlan, RestoreTarget } from './restore-plan.ts';

/** What a person asked for, as the planner takes it. Absent: whatever is newest. */
export function targetOfStop(until: RestoreStop | undefined): RestoreTarget {
  if (until === undefined) return { kind: 'latest' };
  if ('at' in until) return { kind: 'at', at: until.at };
  if ('position' in until) return { kind: 'position', position: until.position };
  if ('mark' in until) return { kind: 'mark', mark: until.mark };
  return { kind: 'transaction', transaction: until.transaction };
}

/** Where the driver is to stop in the last log of a plan; undefined when it is restored to its end. */
export function stopOfPlan(until: RestoreStop | undefined, plan: RestorePlan): RestoreStop | undefined {
  if (until === undefined || !plan.reachesTarget || plan.steps.at(-1)?.type !== 'log') return undefined;
  // Several marks may have one name; where the one that is meant lies is known.
  return plan.markAt === undefined ? until : { position: plan.markAt };
}
