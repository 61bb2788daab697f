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

function cannotBeDecided(state: RunState): Decision | undefined {
  if (state.phase === 'requested') return undefined;
  if (state.phase === 'unknown') return refuse('run.unknown', `Nobody asked for the run ${state.run}.`);
  if (isOver(state) || state.plan !== undefined) return NOTHING_TO_DO;
  return undefined;
}
