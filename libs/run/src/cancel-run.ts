import { domainEvent } from '@catena/events';
import { accept, NOTHING_TO_DO, refuse, type Decision } from './decision.ts';
import { isOver, type RunState } from './run-state.ts';

/**
 * A person wants the run stopped. While a mover works on it, it is asked to stop and reports; otherwise the run is
 * cancelled at once. Asking again appends nothing, unless the mover gave the run back meanwhile: then it is
 * cancelled now.
 */
export function requestCancel(state: RunState, reason?: string): Decision {
  if (state.phase === 'unknown')
    return refuse('run.unknown', `There is no run ${state.run}.`, { remedy: 'catena runs lists them.' });
  if (state.phase === 'cancelled') return NOTHING_TO_DO;
  if (isOver(state)) {
    return refuse(
      'run.over',
      `The run ${state.run} is over: ${state.phase}. It cannot be cancelled any more.`,
    );
  }
  const asked = state.cancelRequested
    ? []
    : [domainEvent('run.cancel-requested', state.run, reason === undefined ? {} : { reason })];
  const done =
    state.phase === 'running' ? [] : [domainEvent('run.cancelled', state.run, { attempt: state.attempt })];
  return accept(...asked, ...done);
}
