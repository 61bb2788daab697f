import type { MoverReport } from '@catena/events';
import { attemptFailed, evolveRun, fence, replanRun, type RetryPolicy } from '@catena/run';
import { evolveCollectionWith } from '../collection/collection-state.ts';
import { planFullInstead } from '../collection/plan-backup.ts';
import { dropPlan } from '../collection/settle-plan.ts';
import { together, type ReportDecision, type ReportFacts } from './report-decision.ts';

/**
 * The source has no longer what an incremental or a differential needs: a full is taken instead under the same run, at
 * once (rules.md 1.7). Undefined when the report is about something else, or when the request says to fail.
 */
export function fullAfterLostHistory(
  facts: ReportFacts,
  report: MoverReport,
  outcome: Extract<MoverReport['outcome'], { kind: 'failed' }>,
  now: string,
  policy: RetryPolicy,
): ReportDecision | undefined {
  const { run } = facts;
  const { plan, request } = run;
  if (outcome.historyLost === undefined || plan?.kind !== 'backup' || request?.kind !== 'backup')
    return undefined;
  if (plan.type === 'full' || plan.type === 'log' || request.whenHistoryLost === 'fail') return undefined;
  const state = facts.collections.find((one) => one.collection === plan.collection);
  if (state === undefined || run.cancelRequested || fence(run, report).kind !== 'current') return undefined;

  const { attempt, mover } = report;
  const failure = { ...outcome.failure, retryable: true };
  const failed = attemptFailed(run, { attempt, mover, failure }, now, { ...policy, firstDelay: 0 });
  if (!failed.accepted) return failed;
  const after = failed.events.reduce((before, event) => evolveRun(before, event), run);
  if (after.phase !== 'waitingForRetry') return undefined;
  const dropped = dropPlan(state, run.run, 'failed');
  const why = `the source has lost its history since the backup it builds on (${outcome.historyLost})`;
  const full = planFullInstead(evolveCollectionWith(state, dropped), plan, run.run, why);
  const replanned = replanRun(after, full.plan, full.plan.reason ?? why);
  if (!replanned.accepted) return replanned;
  return together(failed, [...replanned.events, ...dropped, ...full.events]);
}
