import { domainEvent, type EventData } from '@catena/events';
import { accept, NOTHING_TO_DO, type Decision } from './decision.ts';
import type { RunState } from './run-state.ts';

/**
 * A schedule or a person asks for a run. Its id stands for the due time or the command (architecture.md section 2),
 * so asking again is the same run and appends nothing.
 */
export function requestRun(state: RunState, request: EventData<'run.requested'>): Decision {
  if (state.phase !== 'unknown') return NOTHING_TO_DO;
  return accept(domainEvent('run.requested', state.run, request));
}
