import {
  backupIdOfRun,
  domainEvent,
  type AnyDomainEvent,
  type BackupPlan,
  type DefinitionSnapshot,
  type Failure,
  type RunRequest,
} from '@catena/events';
import { nextPosition } from '../position.ts';
import { fullInstead, shapeOf, type BackupShape } from './backup-shape.ts';
import type { CollectionState, PlannedBackup } from './collection-state.ts';
import { refuseOutright } from './refuse-backup.ts';
import { familyOf } from './usable.ts';

export type BackupRequest = Extract<RunRequest, { kind: 'backup' }>;

/** What the planner is told about the run and the world around it. */
export interface BackupPlanningContext {
  readonly run: string;
  readonly source: DefinitionSnapshot;
  readonly repository: DefinitionSnapshot;
  /** What the source is now, when it is known before a mover looks. */
  readonly family?: string | undefined;
  /** Whether the source keeps a log that can be backed up; default no. */
  readonly keepsLog?: boolean | undefined;
}

/** A plan with what is to be appended for it, a refusal, or the run that must be over first. */
export type BackupPlanning =
  | { readonly kind: 'planned'; readonly plan: BackupPlan; readonly events: readonly AnyDomainEvent[] }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'wait'; readonly for: string };

/**
 * Decides what a backup run must be (rules.md section 1): its type, what it is computed from, and its place. Data runs
 * of one collection never overlap, so no two of them claim one parent; nor do log runs; copy-only runs beside anything.
 */
export function planBackup(
  state: CollectionState,
  request: BackupRequest,
  context: BackupPlanningContext,
): BackupPlanning {
  const before = state.planned.get(context.run);
  if (before !== undefined) {
    return { kind: 'planned', plan: planOf(state, before, context, {}, request.stream), events: [] };
  }
  const failure = refuseOutright(state, request, context);
  if (failure !== undefined) return { kind: 'refused', failure };
  const blocker = blockerOf(state, request);
  if (blocker !== undefined) return { kind: 'wait', for: blocker };
  const shaped = shapeOf(state, request);
  if ('failure' in shaped) return { kind: 'refused', failure: shaped.failure };

  const planned = placeFor(state, shaped.shape, context.run);
  const { source, repository } = context;
  const place = {
    source: source.name,
    sourceUid: source.uid,
    repository: repository.name,
    repositoryUid: repository.uid,
  };
  const opened = state.place === undefined ? [domainEvent('collection.opened', state.collection, place)] : [];
  return {
    kind: 'planned',
    plan: planOf(state, planned, context, shaped.shape, request.stream),
    events: [...opened, domainEvent('collection.backup-planned', state.collection, planned)],
  };
}

/** A full in the place of a backup that cannot be had any more, under the same run and id (rules.md 1.7). */
export function planFullInstead(
  state: CollectionState,
  plan: BackupPlan,
  run: string,
  why: string,
): { readonly plan: BackupPlan; readonly events: readonly AnyDomainEvent[] } {
  const shape = fullInstead(plan.type, why);
  const planned = placeFor(state, shape, run);
  return {
    plan: planOf(state, planned, { run, source: plan.source, repository: plan.repository }, shape),
    events: [domainEvent('collection.backup-planned', state.collection, planned)],
  };
}

/** Logs and data may overlap each other, but not themselves (rules.md 3.6). */
function blockerOf(state: CollectionState, request: BackupRequest): string | undefined {
  if (request.copyOnly && request.type !== 'differential') return undefined;
  const isLog = request.type === 'log';
  for (const one of state.planned.values()) {
    if (!one.copyOnly && (one.type === 'log') === isLog) return one.run;
  }
  return undefined;
}

function placeFor(state: CollectionState, shape: BackupShape, run: string): PlannedBackup {
  const backup = backupIdOfRun(run);
  const fork = shape.from?.fork ?? state.fork;
  return {
    run,
    backup,
    type: shape.type,
    copyOnly: shape.copyOnly,
    ...(shape.parent === undefined ? {} : { parent: shape.parent }),
    ...(shape.base === undefined ? {} : { base: shape.base }),
    chain: shape.base ?? backup,
    ...(fork === undefined ? {} : { fork }),
    ...(shape.from === undefined ? {} : { start: shape.from.position }),
    position: nextPosition(state.lastPosition),
  };
}

function planOf(
  state: CollectionState,
  planned: PlannedBackup,
  context: Pick<BackupPlanningContext, 'source' | 'repository' | 'run'>,
  why: Pick<BackupShape, 'promotedFrom' | 'reason'>,
  stream?: BackupRequest['stream'],
): BackupPlan {
  const { backup, type, copyOnly, parent, base, chain, position, fork, start } = planned;
  const family = familyOf(state);
  return {
    kind: 'backup',
    collection: state.collection,
    backup,
    type,
    copyOnly,
    ...(parent === undefined ? {} : { parent }),
    ...(base === undefined ? {} : { base }),
    chain,
    position,
    ...(start === undefined ? {} : { start }),
    ...(fork === undefined ? {} : { fork }),
    ...(family === undefined ? {} : { family }),
    ...(stream === undefined || type !== 'log' ? {} : { stream }),
    source: context.source,
    repository: context.repository,
    ...(why.promotedFrom === undefined ? {} : { promotedFrom: why.promotedFrom }),
    ...(why.reason === undefined ? {} : { reason: why.reason }),
  };
}
