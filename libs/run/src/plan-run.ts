import { domainEvent, type Failure, type RunPlan } from '@catena/events';
import { accept, NOTHING_TO_DO, refuse, type Decision } from './decision.ts';
import { isOver, type RunState } from './run-state.ts';

/** The chain catalog says what the run must be. A run is planned once; planning it again appends nothing. */
export function planRun(state: RunState, plan: RunPlan): Decision {
  const notNow = cannotBeDecided(state);
  return notNow ?? accept(domainEvent('run.planned', state.run, { plan }));
}

/** The chain catalog says that the run cannot be done; nothing was touched. */
export function refuseRun(state: RunState, failure: Failure): Decision {
  const notNow = cannotBeDecided(state);
  return notNow ?? accept(domainEvent('run.refused', state.run, { failure }));
}

/** What was planned cannot be done any more: the next attempt does something else. Only between two attempts. */
export function replanRun(state: RunState, plan: RunPlan, reason: string): Decision {
  if (state.phase === 'waitingForRetry') {
    return accept(domainEvent('run.replanned', state.run, { plan, reason }));
  }
  return refuse('run.not-between-attempts', `The run ${state.run} is ${state.phase}: its plan stays.`);
}

function cannotBeDecided(state: RunState): Decision | undefined {
  if (state.phase === 'requested') return undefined;
  if (state.phase === 'unknown') return refuse('run.unknown', `Nobody asked for the run ${state.run}.`);
  if (isOver(state) || state.plan !== undefined) return NOTHING_TO_DO;
  return undefined;
}
