import { domainEvent, type EventData, type Failure } from '@catena/events';
import { fence } from './attempt-fence.ts';
import { accept, NOTHING_TO_DO, refuse, type Decision } from './decision.ts';
import { DEFAULT_RETRY_POLICY, retryAt, type RetryPolicy } from './retry-policy.ts';
import type { RunState, SettledAttempt } from './run-state.ts';

interface Attempt {
  readonly attempt: number;
  readonly mover: string;
}

/** How many warnings an event carries; `warningCount` has them all. */
const WARNINGS_KEPT = 100;

/** An attempt did what the plan asks. A cancel that came too late changes nothing: what is done is done. */
export function completed(state: RunState, report: Omit<EventData<'run.completed'>, 'outcome'>): Decision {
  return (
    standsInTheWay(state, report, 'completed') ??
    accept(
      domainEvent('run.completed', state.run, {
        ...report,
        warnings: report.warnings.slice(0, WARNINGS_KEPT),
        outcome: report.warningCount > 0 ? 'completedWithWarnings' : 'completed',
      }),
    )
  );
}

/**
 * An attempt failed: it is tried again as the policy says, or the run has failed. With a cancel asked for, it is
 * cancelled instead.
 * @param now ISO 8601 instant, UTC, from which the delay counts.
 */
export function attemptFailed(
  state: RunState,
  report: Attempt & { readonly failure: Failure },
  now: string,
  policy: RetryPolicy = DEFAULT_RETRY_POLICY,
): Decision {
  const blocked = standsInTheWay(state, report, 'failed');
  if (blocked !== undefined) return blocked;
  const { attempt, mover, failure } = report;
  if (state.cancelRequested) return accept(domainEvent('run.cancelled', state.run, { attempt }));
  const next = retryAt(policy, failure, state.failures, now);
  return next === undefined
    ? accept(domainEvent('run.failed', state.run, { attempt, mover, failure }))
    : accept(domainEvent('run.attempt-failed', state.run, { attempt, mover, failure, retryAt: next }));
}

/** An attempt stopped because somebody asked for it; nothing half-made counts. */
export function cancelled(state: RunState, report: Attempt): Decision {
  const blocked = standsInTheWay(state, report, 'cancelled');
  if (blocked !== undefined) return blocked;
  if (!state.cancelRequested) {
    return refuse('run.cancel-not-requested', `Nobody asked to cancel the run ${state.run}.`, {
      remedy: 'Give the run back or report what went wrong.',
    });
  }
  return accept(domainEvent('run.cancelled', state.run, { attempt: report.attempt }));
}

function standsInTheWay(
  state: RunState,
  report: Attempt,
  outcome: SettledAttempt['outcome'],
): Decision | undefined {
  const standing = fence(state, report);
  if (standing.kind === 'current') return undefined;
  if (standing.kind === 'refused') return standing.decision;
  if (standing.outcome === outcome || (outcome === 'failed' && standing.outcome === 'cancelled')) {
    return NOTHING_TO_DO;
  }
  return refuse(
    'run.attempt-settled',
    `Attempt ${report.attempt} of the run ${state.run} was reported as ${standing.outcome} before.`,
    { details: { run: state.run, attempt: report.attempt, outcome: standing.outcome } },
  );
}
