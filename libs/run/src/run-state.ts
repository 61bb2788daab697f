import type {
  Cadence,
  EventData,
  Failure,
  RunLimits,
  RunPlan,
  RunPriority,
  RunRequest,
  RunWait,
} from '@catena/events';
import type { FoldableEvent } from './decision.ts';

/**
 * Where a run stands. `planned` is also a run whose mover gave it back; `waitingForRetry` one whose last attempt
 * failed and that has another.
 */
export type RunPhase =
  | 'unknown'
  | 'requested'
  | 'planned'
  | 'running'
  | 'waitingForRetry'
  | 'completed'
  | 'completedWithWarnings'
  | 'refused'
  | 'failed'
  | 'cancelled';

/** How an attempt ended, as the log accepted it. */
export interface SettledAttempt {
  readonly attempt: number;
  readonly mover: string;
  readonly outcome: 'completed' | 'failed' | 'cancelled';
}

/** The life of one run, folded from its own events. Plain JSON. */
export interface RunState {
  readonly run: string;
  readonly phase: RunPhase;
  readonly request?: RunRequest;
  readonly schedule?: string | undefined;
  readonly scheduleUid?: string | undefined;
  readonly cadence?: Cadence | undefined;
  readonly nominal?: string | undefined;
  /** How it may behave, as its schedule had it. */
  readonly limits?: RunLimits | undefined;
  readonly priority?: RunPriority | undefined;
  /** Why it is not planned yet, as it was said last. */
  readonly waiting?: RunWait | undefined;
  readonly plan?: RunPlan;
  /** The newest claim's number; 0 when nobody has claimed it. */
  readonly attempt: number;
  /** Who holds the newest claim; kept after the end, so that a repeated report is known again. */
  readonly mover?: string;
  /** Attempts that reported a failure; given back and superseded ones do not count towards the limit. */
  readonly failures: number;
  /** Not before this instant may it be claimed again. Only while waiting for a retry. */
  readonly retryAt?: string | undefined;
  readonly cancelRequested: boolean;
  readonly settled: readonly SettledAttempt[];
  readonly failure?: Failure;
}

const OVER: ReadonlySet<RunPhase> = new Set([
  'completed',
  'completedWithWarnings',
  'refused',
  'failed',
  'cancelled',
]);

export function initialRun(run: string): RunState {
  return { run, phase: 'unknown', attempt: 0, failures: 0, cancelRequested: false, settled: [] };
}

/** Whether nothing can happen to the run any more. */
export function isOver(state: RunState): boolean {
  return OVER.has(state.phase);
}

/** The run after one more of its own events; events of other aggregates leave it as it is. */
export function evolveRun(state: RunState, event: FoldableEvent): RunState {
  switch (event.type) {
    case 'run.requested':
      return { ...state, phase: 'requested', ...event.data };
    case 'run.waiting':
      return { ...state, waiting: event.data };
    case 'run.planned':
      return { ...withoutWait(state), phase: 'planned', plan: event.data.plan };
    case 'run.replanned':
      return { ...state, plan: event.data.plan };
    case 'run.refused':
      return { ...state, phase: 'refused', failure: event.data.failure };
    case 'run.claimed':
      return {
        ...withoutRetry(state),
        phase: 'running',
        attempt: event.data.attempt,
        mover: event.data.mover,
      };
    case 'run.released':
      return { ...state, phase: 'planned' };
    case 'run.attempt-failed':
      return {
        ...settle(state, event.data, 'failed'),
        phase: 'waitingForRetry',
        failures: state.failures + 1,
        retryAt: event.data.retryAt,
        failure: event.data.failure,
      };
    case 'run.cancel-requested':
      return { ...state, cancelRequested: true };
    case 'run.completed':
      return { ...settle(state, event.data, 'completed'), phase: event.data.outcome };
    case 'run.failed':
      return failedForGood(state, event.data);
    case 'run.cancelled':
      return cancelled(state, event.data.attempt);
    default:
      return state;
  }
}

/** The run after its events, oldest first. */
export function runFrom(run: string, events: Iterable<FoldableEvent>): RunState {
  let state = initialRun(run);
  for (const event of events) state = evolveRun(state, event);
  return state;
}

function failedForGood(state: RunState, data: EventData<'run.failed'>): RunState {
  const { attempt, mover, failure } = data;
  const ended = mover === undefined ? withoutRetry(state) : settle(state, { attempt, mover }, 'failed');
  return { ...ended, phase: 'failed', failure };
}

function cancelled(state: RunState, attempt: number): RunState {
  const worksOnIt = state.phase === 'running' && state.mover !== undefined;
  const ended = worksOnIt ? settle(state, { attempt, mover: state.mover }, 'cancelled') : withoutRetry(state);
  return { ...ended, phase: 'cancelled' };
}

function settle(
  state: RunState,
  attempt: { readonly attempt: number; readonly mover: string },
  outcome: SettledAttempt['outcome'],
): RunState {
  return {
    ...withoutRetry(state),
    settled: [...state.settled, { attempt: attempt.attempt, mover: attempt.mover, outcome }],
  };
}

function withoutRetry(state: RunState): RunState {
  return { ...state, retryAt: undefined };
}

function withoutWait(state: RunState): RunState {
  if (state.waiting === undefined) return state;
  const { waiting: _over, ...others } = state;
  return others;
}
