import {
  domainEvent,
  type AnyDomainEvent,
  type Failure,
  type MoverReport,
  type RunPlan,
  type Warning,
} from '@catena/events';
import { completed, type Decision, type RunState } from '@catena/run';
import { adoptFound } from '../collection/adopt-found.ts';
import { COPY_ONLY_IGNORED } from '../collection/backup-shape.ts';
import { completeBackup } from '../collection/settle-plan.ts';
import { deletedSteps, pruneDetail } from './prune-run.ts';
import { recordDamage } from './record-damage.ts';
import { sweepDetail } from './sweep-run.ts';
import { inSteps, together, type ReportDecision, type ReportFacts } from './report-decision.ts';

export type CompletedOutcome = Extract<MoverReport['outcome'], { kind: 'completed' }>;

interface CompletedReport {
  readonly attempt: number;
  readonly mover: string;
  readonly outcome: CompletedOutcome;
}

type Extra = { readonly backup?: string; readonly detail?: Record<string, unknown> };

/** A backup exists: run, backup and collection say so in one append, or the plan and the manifest contradict. */
export function backupCompleted(
  facts: ReportFacts,
  report: CompletedReport,
): ReportDecision | { readonly failure: Failure } {
  const { run } = facts;
  const { manifest } = report.outcome;
  const state = facts.collections.find((one) => isMaking(run.plan) && one.collection === run.plan.collection);
  if (!isMaking(run.plan) || manifest === undefined || state === undefined) {
    return { failure: incomplete(run, 'its manifest and its collection') };
  }
  const completion = completeBackup(state, run.run, run.plan, manifest);
  if (completion.kind === 'refused') return { failure: completion.failure };
  const { composed } = report.outcome;
  const detail = composed === undefined ? {} : { detail: { ...composed } };
  return together(runCompleted(run, report, { backup: manifest.backup, ...detail }), [
    ...completion.events,
    ...repositoryNews(facts, report.outcome),
  ]);
}

/** Whether the run makes a backup. */
function isMaking(plan: RunPlan | undefined): plan is Extract<RunPlan, { kind: 'backup' | 'compose' }> {
  return plan?.kind === 'backup' || plan?.kind === 'compose';
}

/** Every backup that was checked is recorded with its depth; what is wrong takes it, and what needs it, out of use. */
export function verifyCompleted(facts: ReportFacts, report: CompletedReport, now: string): ReportDecision {
  const { run, plan } = { run: facts.run.run, plan: facts.run.plan };
  const depth = plan?.kind === 'verify' ? plan.depth : 'presence';
  const rows = report.outcome.verified ?? [];
  const isBad = (row: (typeof rows)[number]) => row.missing || row.problems.length > 0;
  const steps = rows.map(({ backup, ...row }) =>
    row.missing || row.problems.length > 0
      ? recordDamage(facts.collections, backup, {
          run,
          at: now,
          problems: row.problems,
          missing: row.missing,
        })
      : [domainEvent('backup.verified', backup, { run, depth, at: now, bytes: row.bytes })],
  );
  const detail = { checked: rows.length, damaged: rows.filter(isBad).map((row) => row.backup) };
  return inSteps(steps, runCompleted(facts.run, report, { detail }), repositoryNews(facts, report.outcome));
}

/** The catalog gets back what the repository knows. */
export function rescanCompleted(facts: ReportFacts, report: CompletedReport): ReportDecision {
  const { plan } = facts.run;
  if (plan?.kind !== 'rescan') return together(runCompleted(facts.run, report), []);
  const found = report.outcome.found ?? [];
  const { steps, adopted, condemned, lacking } = adoptFound(
    facts.collections,
    found,
    plan.repository,
    plan.settledThrough ?? {},
  );
  const detail = { found: found.length, adopted: adopted.length, condemned, lacking };
  return inSteps(steps, runCompleted(facts.run, report, { detail }), repositoryNews(facts, report.outcome));
}

/** What is gone is recorded as such; what something else still needs stays condemned. */
export function pruneCompleted(facts: ReportFacts, report: CompletedReport): ReportDecision {
  const { plan, run } = facts.run;
  if (plan?.kind !== 'prune') return together(runCompleted(facts.run, report), []);
  const deleted = report.outcome.deleted ?? [];
  const steps = deletedSteps(facts.collections, plan, run, deleted);
  return inSteps(steps, runCompleted(facts.run, report, { detail: pruneDetail(plan, deleted) }));
}

/** What went belonged to no backup, so no state but the run's is changed. */
export function sweepCompleted(facts: ReportFacts, report: CompletedReport): ReportDecision {
  const { plan } = facts.run;
  if (plan?.kind !== 'sweep') return together(runCompleted(facts.run, report), []);
  return together(runCompleted(facts.run, report, { detail: sweepDetail(plan, report.outcome.swept) }), []);
}

/** A run that changed no backup. */
export function otherCompleted(facts: ReportFacts, report: CompletedReport): ReportDecision {
  const { cluster } = report.outcome;
  const extra = cluster === undefined ? {} : { detail: { cluster } };
  return together(runCompleted(facts.run, report, extra), repositoryNews(facts, report.outcome));
}

function runCompleted(run: RunState, report: CompletedReport, extra: Extra = {}): Decision {
  const { attempt, mover, outcome } = report;
  const ours = warningsOfPlan(run);
  return completed(run, {
    attempt,
    mover,
    warnings: [...ours, ...outcome.warnings],
    warningCount: outcome.warningCount + ours.length,
    statistics: outcome.statistics,
    ...extra,
  });
}

/** Rule 1.2: copy-only with differential is accepted, ignored, and a warning says so. */
function warningsOfPlan(run: RunState): Warning[] {
  const ignored = run.plan?.kind === 'backup' && run.plan.reason === COPY_ONLY_IGNORED;
  return ignored ? [{ code: 'chain.copy-only-ignored', message: COPY_ONLY_IGNORED }] : [];
}

function repositoryNews(facts: ReportFacts, outcome: CompletedOutcome): AnyDomainEvent[] {
  const { repository, run } = facts;
  const name = run.plan?.repository.name ?? '';
  const { initialised, generatedKey } = outcome;
  return [
    ...(initialised !== undefined && !repository.initialised
      ? [
          domainEvent('repository.initialised', repository.repository, {
            repository: name,
            ...initialised,
            run: run.run,
          }),
        ]
      : []),
    ...(generatedKey !== undefined && !repository.keys.has(generatedKey.keyId)
      ? [
          domainEvent('repository.key-generated', repository.repository, {
            repository: name,
            ...generatedKey,
          }),
        ]
      : []),
  ];
}

function incomplete(run: RunState, what: string): Failure {
  return {
    code: 'chain.report-incomplete',
    message: `The run ${run.run} was reported as completed without ${what}.`,
    retryable: true,
  };
}
