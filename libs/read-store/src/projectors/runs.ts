import type { RecordedEvent, RunPlan, RunRequest, RunState } from '@catena/events';
import type { RowContent, RunPlanRow, RunRow } from '../rows/index.ts';
import { CannotApplyError } from './cannot-apply-error.ts';
import { existingRow, ownRow, type Projector } from './projector.ts';

type Run = RowContent<RunRow>;

/** States in which nothing can happen to a run any more. */
export const RUN_OVER: readonly RunState[] = [
  'completed',
  'completedWithWarnings',
  'refused',
  'failed',
  'cancelled',
];

export const runs: Projector<Run> = {
  handlers: {
    'run.requested': ownRow((row, event) => {
      if (row !== undefined) throw new CannotApplyError(event, 'the run was requested before');
      return requestedRun(event);
    }),
    'run.waiting': existingRow((row, { data }) => ({ ...row, waiting: data })),
    'run.planned': existingRow((row, { time, data }) => ({
      ...row,
      state: unlessCancelling(row, 'planned'),
      plannedAt: time,
      waiting: null,
      source: row.source ?? sourceOf(data.plan),
      backup: row.backup ?? (data.plan.kind === 'restore' ? data.plan.backup : null),
    })),
    'run.refused': existingRow((row, { time, data }) => ({
      ...row,
      state: 'refused',
      failure: data.failure,
      waiting: null,
      finishedAt: time,
    })),
    'run.claimed': existingRow((row, { time, data }) => ({
      ...row,
      state: unlessCancelling(row, 'running'),
      attempt: data.attempt,
      mover: data.mover,
      startedAt: row.startedAt ?? time,
      failure: null,
      retryAt: null,
    })),
    'run.released': existingRow((row) => ({ ...row, state: unlessCancelling(row, 'planned') })),
    'run.alarmed': existingRow((row, { data }) => ({
      ...row,
      warnings: [...row.warnings, data.alarm],
      warningCount: row.warningCount + 1,
    })),
    'run.attempt-failed': existingRow((row, { data }) => ({
      ...row,
      state: unlessCancelling(row, 'waitingForRetry'),
      failure: data.failure,
      retryAt: data.retryAt,
    })),
    'run.cancel-requested': existingRow((row) =>
      RUN_OVER.includes(row.state) ? row : { ...row, state: 'cancelling' },
    ),
    'run.completed': existingRow((row, { time, data }) => ({
      ...row,
      state: data.outcome,
      attempt: data.attempt,
      mover: data.mover,
      finishedAt: time,
      backup: data.backup ?? row.backup,
      failure: null,
      retryAt: null,
      warnings: data.warnings,
      warningCount: data.warningCount,
      statistics: data.statistics,
      detail: data.detail ?? null,
    })),
    'run.failed': existingRow((row, { time, data }) => ({
      ...row,
      state: 'failed',
      finishedAt: time,
      failure: data.failure,
      retryAt: null,
    })),
    'run.cancelled': existingRow((row, { time }) => ({
      ...row,
      state: 'cancelled',
      waiting: null,
      finishedAt: time,
      retryAt: null,
    })),
  },
};

export const runPlans: Projector<RowContent<RunPlanRow>> = {
  handlers: {
    'run.planned': ownRow((_before, { aggregate, data }) => ({ run: aggregate.id, plan: data.plan })),
    'run.replanned': existingRow((row, { data }) => ({ ...row, plan: data.plan })),
  },
};

function requestedRun({ aggregate, sequence, time, actor, data }: RecordedEvent<'run.requested'>): Run {
  return {
    run: aggregate.id,
    kind: data.request.kind,
    state: 'requested',
    request: data.request,
    source: sourceAskedFor(data.request),
    repository: data.request.repository,
    schedule: data.schedule ?? null,
    scheduleUid: data.scheduleUid ?? null,
    cadence: data.cadence ?? null,
    nominal: data.nominal ?? null,
    requestedBy: actor,
    requestedAt: time,
    requestedSequence: sequence,
    plannedAt: null,
    startedAt: null,
    finishedAt: null,
    attempt: 0,
    mover: null,
    backup: backupOf(data.request),
    failure: null,
    retryAt: null,
    warnings: [],
    warningCount: 0,
    statistics: null,
    detail: null,
    priority: data.priority ?? null,
    waiting: null,
  };
}

function backupOf(request: RunRequest): string | null {
  return (request.kind === 'restore' || request.kind === 'verify') && request.backup !== undefined
    ? request.backup
    : null;
}

function sourceAskedFor(request: RunRequest): string | null {
  return request.kind === 'backup' || request.kind === 'compose' ? request.source : null;
}

function sourceOf(plan: RunPlan): string | null {
  return plan.kind === 'backup' || plan.kind === 'compose' || plan.kind === 'restore'
    ? plan.source.name
    : null;
}

/** Once a person wants it stopped, that is what is to be seen until it is over. */
function unlessCancelling(row: Run, state: RunState): RunState {
  return row.state === 'cancelling' ? 'cancelling' : state;
}
