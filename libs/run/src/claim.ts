import { domainEvent } from '@catena/events';
import { fence } from './attempt-fence.ts';
import { accept, NOTHING_TO_DO, refuse, type Decision } from './decision.ts';
import { isOver, type RunState } from './run-state.ts';

/**
 * A mover takes the run. Attempt numbers come from the log, never from a delivery count; a claim of a running run
 * supersedes the one before it, because the queue only hands a job out again when its holder went silent.
 * @param now ISO 8601 instant with milliseconds, UTC.
 */
export function claim(state: RunState, mover: string, now: string): Decision {
  if (isOver(state)) return refuse('run.over', `The run ${state.run} is over: ${state.phase}.`);
  if (state.plan === undefined) {
    return refuse('run.not-planned', `The run ${state.run} has no plan yet.`, { retryable: true });
  }
  if (state.retryAt !== undefined && now < state.retryAt) {
    return refuse('run.retry-not-due', `The run ${state.run} is tried again at ${state.retryAt}.`, {
      retryable: true,
      details: { retryAt: state.retryAt },
    });
  }
  return accept(domainEvent('run.claimed', state.run, { attempt: state.attempt + 1, mover }));
}

/** A mover gives the run back unfinished, so that another may take it at once. */
export function release(
  state: RunState,
  claimed: { readonly attempt: number; readonly mover: string },
  reason: string,
): Decision {
  const standing = fence(state, claimed);
  if (standing.kind === 'refused') return standing.decision;
  if (standing.kind === 'settled') return NOTHING_TO_DO;
  const { attempt, mover } = claimed;
  return accept(domainEvent('run.released', state.run, { attempt, mover, reason }));
}
