import type { AnyDomainEvent, MoverReport } from '@catena/events';
import {
  attemptFailed,
  cancelled,
  DEFAULT_RETRY_POLICY,
  fence,
  isOver,
  evolveRun,
  type Decision,
  type RetryPolicy,
  type RunState,
} from '@catena/run';
import type { CollectionState } from '../collection/collection-state.ts';
import { dropPlan, loseArchivePoint } from '../collection/settle-plan.ts';
import {
  backupCompleted,
  otherCompleted,
  pruneCompleted,
  rescanCompleted,
  sweepCompleted,
  verifyCompleted,
} from './completed-report.ts';
import { fullAfterLostHistory } from './lost-history.ts';
import { recordDamage } from './record-damage.ts';
import { together, type ReportDecision, type ReportFacts } from './report-decision.ts';

type FailedOutcome = Extract<MoverReport['outcome'], { kind: 'failed' }>;

/**
 * Decides what a mover's report means for the run, its collection and its backups together (architecture.md section 5).
 * Repeating an accepted report appends nothing; that of a superseded attempt is refused by name.
 * @param now ISO 8601 instant, UTC: the time of what is recorded, and from which the delay of a retry counts.
 */
export function decideReport(
  facts: ReportFacts,
  report: MoverReport,
  now: string,
  policy: RetryPolicy = DEFAULT_RETRY_POLICY,
): ReportDecision {
  const { outcome, attempt, mover } = report;
  if (outcome.kind === 'failed') return failed(facts, report, outcome, now, policy);
  if (outcome.kind === 'cancelled') return ended(facts, cancelled(facts.run, report), []);
  const done = { attempt, mover, outcome };
  const kind = fence(facts.run, report).kind === 'current' ? facts.run.plan?.kind : undefined;
  switch (kind) {
    case 'backup':
    case 'compose': {
      const decision = backupCompleted(facts, done);
      return 'failure' in decision
        ? failed(facts, report, { kind: 'failed', failure: decision.failure }, now, policy)
        : decision;
    }
    case 'verify':
      return verifyCompleted(facts, done, now);
    case 'rescan':
      return rescanCompleted(facts, done);
    case 'prune':
      return pruneCompleted(facts, done);
    case 'sweep':
      return sweepCompleted(facts, done);
    case 'restore':
    case undefined:
      return otherCompleted(facts, done);
  }
}

function failed(
  facts: ReportFacts,
  report: MoverReport,
  outcome: FailedOutcome,
  now: string,
  policy: RetryPolicy,
): ReportDecision {
  const { run, collections } = facts;
  const instead = fullAfterLostHistory(facts, report, outcome, now, policy);
  if (instead !== undefined) return instead;
  const damaged = outcome.damaged ?? [];
  // The plan names the very backup that is damaged: trying again would read it again.
  const isDamaged = damaged.some((one) => needs(run, collections, one.backup));
  const hopeless = isDamaged || (run.plan?.kind === 'backup' && outcome.historyLost !== undefined);
  const failure = hopeless ? { ...outcome.failure, retryable: false } : outcome.failure;
  const { attempt, mover } = report;
  const damage = damaged.flatMap(({ backup, problems }) =>
    recordDamage(collections, backup, { run: run.run, at: now, problems, missing: false }),
  );
  const decision = attemptFailed(run, { attempt, mover, failure }, now, policy);
  return ended(facts, decision, [...damage, ...lostArchivePoint(facts, outcome)]);
}

/** What a log backup was to begin with is gone: the next data backup begins the log chain again. */
function lostArchivePoint(facts: ReportFacts, outcome: FailedOutcome): readonly AnyDomainEvent[] {
  const { run, collections } = facts;
  const { historyLost } = outcome;
  if (historyLost === undefined || run.plan?.kind !== 'backup' || run.plan.type !== 'log') return [];
  const { collection } = run.plan;
  const state = collections.find((one) => one.collection === collection);
  return state === undefined ? [] : loseArchivePoint(state, historyLost, run.run);
}

function ended(facts: ReportFacts, decision: Decision, others: readonly AnyDomainEvent[]): ReportDecision {
  if (!decision.accepted) return decision;
  const dropped = droppedWith(facts.run, decision.events, facts.collections);
  return together(decision, [...dropped, ...others]);
}

/** A run that is over without a backup gives its place in the collection back. */
function droppedWith(
  run: RunState,
  events: readonly AnyDomainEvent[],
  collections: readonly CollectionState[],
): readonly AnyDomainEvent[] {
  const after = events.reduce((state, event) => evolveRun(state, event), run);
  if (!isOver(after)) return [];
  const reason = after.phase === 'cancelled' ? 'cancelled' : 'failed';
  return collections.flatMap((state) => dropPlan(state, run.run, reason));
}

function needs(run: RunState, collections: readonly CollectionState[], backup: string): boolean {
  const { plan } = run;
  if (plan?.kind === 'compose') return plan.closure.includes(backup);
  if (plan?.kind !== 'backup') return false;
  const parents = [plan.parent, plan.base].filter((one) => one !== undefined);
  return parents.some(
    (one) =>
      one === backup ||
      collections.some((state) => state.backups.get(one)?.closure.includes(backup) === true),
  );
}
