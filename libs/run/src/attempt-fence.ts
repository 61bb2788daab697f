import { refuse, type Decision } from './decision.ts';
import { isOver, type RunState, type SettledAttempt } from './run-state.ts';

/** Whether a mover may still speak for an attempt. */
export type AttemptStanding =
  | { readonly kind: 'current' }
  | { readonly kind: 'settled'; readonly outcome: SettledAttempt['outcome'] }
  | { readonly kind: 'refused'; readonly decision: Decision & { accepted: false } };

/**
 * Fences attempts (architecture.md section 5): only the holder of the newest claim is heard. One whose report was
 * accepted before is `settled`: it gets the same answer again and nothing is appended.
 */
export function fence(
  state: RunState,
  claimed: { readonly attempt: number; readonly mover: string },
): AttemptStanding {
  const { attempt, mover } = claimed;
  const settled = state.settled.find((one) => one.attempt === attempt && one.mover === mover);
  if (settled !== undefined) return { kind: 'settled', outcome: settled.outcome };
  const refused = (code: string, why: string): AttemptStanding => ({
    kind: 'refused',
    decision: refuse(code, `Attempt ${attempt} of the run ${state.run} by ${mover} is not heard: ${why}.`, {
      remedy: 'Drop the job; the log has who works on it.',
      details: { run: state.run, attempt, newest: state.attempt },
    }),
  });
  if (attempt < state.attempt) {
    return refused('run.attempt-superseded', `attempt ${state.attempt} has taken over`);
  }
  if (attempt > state.attempt) {
    return refused('run.attempt-unknown', `the newest claim is attempt ${state.attempt}`);
  }
  if (mover !== state.mover) return refused('run.attempt-of-another', `${state.mover} holds it`);
  if (isOver(state)) return refused('run.over', `the run is over: ${state.phase}`);
  if (state.phase !== 'running') {
    return refused('run.attempt-given-back', `it is not held any more, the run is ${state.phase}`);
  }
  return { kind: 'current' };
}
