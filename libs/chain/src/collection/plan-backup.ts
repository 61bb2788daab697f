import {
  backupIdOfRun,
  domainEvent,
  type AnyDomainEvent,
  type BackupPlan,
  type BackupType,
  type DefinitionSnapshot,
  type Failure,
  type RunRequest,
} from '@catena/events';
import { nextPosition } from '../position.ts';
import type { CollectionState, PlannedBackup } from './collection-state.ts';
import { differentialBaseOf, familyOf, newestDataBackupOf } from './usable.ts';

export type BackupRequest = Extract<RunRequest, { kind: 'backup' }>;

/** What the planner is told about the run and the world around it. */
export interface BackupPlanningContext {
  readonly run: string;
  readonly source: DefinitionSnapshot;
  readonly repository: DefinitionSnapshot;
  /** What the source is now, when it is known before a mover looks. */
  readonly family?: string | undefined;
}

/** A plan with what is to be appended for it, a refusal, or the run that must be over first. */
export type BackupPlanning =
  | { readonly kind: 'planned'; readonly plan: BackupPlan; readonly events: readonly AnyDomainEvent[] }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'wait'; readonly for: string };

/** What becomes of the type that was asked for. */
interface Shape {
  readonly type: BackupType;
  readonly copyOnly: boolean;
  readonly parent?: string;
  readonly base?: string;
  readonly promotedFrom?: BackupType;
  readonly reason?: string;
}

/** Why a differential that was asked for as copy-only is a plain one (rules.md 1.2). */
export const COPY_ONLY_IGNORED =
  'Copy-only has no effect on a differential: it is a plain differential of the newest full.';

/**
 * Decides what a backup run must be (rules.md section 1): its type, what it is computed from, and its place. Data runs
 * of one collection never overlap, so no two of them claim one parent; copy-only runs beside anything.
 */
export function planBackup(
  state: CollectionState,
  request: BackupRequest,
  context: BackupPlanningContext,
): BackupPlanning {
  const before = state.planned.get(context.run);
  if (before !== undefined) {
    return { kind: 'planned', plan: planOf(state, before, context, {}), events: [] };
  }
  const failure = refusal(state, request, context);
  if (failure !== undefined) return { kind: 'refused', failure };
  const copyOnly = request.copyOnly && request.type === 'full';
  const blocker = copyOnly ? undefined : [...state.planned.values()].find((one) => !one.copyOnly);
  if (blocker !== undefined) return { kind: 'wait', for: blocker.run };

  const shape = shapeOf(state, request, copyOnly);
  if (shape === undefined) return { kind: 'refused', failure: noFull(state, request) };
  const backup = backupIdOfRun(context.run);
  const planned: PlannedBackup = {
    run: context.run,
    backup,
    type: shape.type,
    copyOnly: shape.copyOnly,
    ...(shape.parent === undefined ? {} : { parent: shape.parent }),
    ...(shape.base === undefined ? {} : { base: shape.base }),
    chain: shape.base ?? backup,
    position: nextPosition(state.lastPosition),
  };
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
    plan: planOf(state, planned, context, shape),
    events: [...opened, domainEvent('collection.backup-planned', state.collection, planned)],
  };
}

function shapeOf(state: CollectionState, request: BackupRequest, copyOnly: boolean): Shape | undefined {
  if (request.type === 'full') return { type: 'full', copyOnly };
  const shape = request.type === 'differential' ? differential(state) : incremental(state);
  if (shape === undefined) {
    return request.whenNoFull === 'fail' ? undefined : insteadOf(state, request.type);
  }
  return request.copyOnly ? { ...shape, reason: COPY_ONLY_IGNORED } : shape;
}

function differential(state: CollectionState): Shape | undefined {
  const base = differentialBaseOf(state);
  return base && { type: 'differential', copyOnly: false, base: base.backup };
}

function incremental(state: CollectionState): Shape | undefined {
  const parent = newestDataBackupOf(state);
  return parent && { type: 'incremental', copyOnly: false, parent: parent.backup, base: parent.chain };
}

/** A full is taken instead (rules.md 1.6), and the event says so. */
function insteadOf(state: CollectionState, asked: BackupType): Shape {
  const why = whyNoFull(state);
  return {
    type: 'full',
    copyOnly: false,
    promotedFrom: asked,
    reason: `A full is taken instead of the ${asked}: ${why}.`,
  };
}

function whyNoFull(state: CollectionState): string {
  const conventional = [...state.backups.values()].some((one) => one.type === 'full' && !one.copyOnly);
  return conventional ? 'the full it would depend on cannot be used' : 'the collection has no full yet';
}

function noFull(state: CollectionState, request: BackupRequest): Failure {
  return {
    code: 'chain.no-full',
    message: `The ${request.type} of ${request.source} in ${request.repository} cannot be taken: ${whyNoFull(state)}.`,
    remedy: 'Take a full, or ask with whenNoFull: full so that one is taken instead.',
    retryable: false,
  };
}

function refusal(
  state: CollectionState,
  request: BackupRequest,
  context: BackupPlanningContext,
): Failure | undefined {
  const { source, repository } = request;
  if (request.type === 'log') {
    return {
      code: 'chain.source-keeps-no-log',
      message: `The source ${source} keeps no log, so there is nothing a log backup could take (rule 1.5).`,
      remedy: 'Use incremental backups for it.',
      retryable: false,
    };
  }
  if (request.copyOnly && request.type === 'incremental') {
    return {
      code: 'chain.copy-only-incremental',
      message: `An incremental of ${source} cannot be copy-only: it would depend on the chain it must not touch.`,
      remedy: 'Use a copy-only full.',
      retryable: false,
    };
  }
  const family = familyOf(state);
  if (family !== undefined && context.family !== undefined && family !== context.family) {
    return familyChanged(source, repository, family, context.family);
  }
  return undefined;
}

/** Another thing lives at the same address (rules.md section 1, row "family changed"). */
export function familyChanged(source: string, repository: string, known: string, now: string): Failure {
  return {
    code: 'chain.family-changed',
    message: `The source ${source} is not what its chains in ${repository} were taken from: they are of ${known}, it is ${now}.`,
    remedy: 'Say whether it goes on as a new chain, or define it as a new source. Nothing was changed.',
    retryable: false,
  };
}

function planOf(
  state: CollectionState,
  planned: PlannedBackup,
  context: BackupPlanningContext,
  why: Pick<Shape, 'promotedFrom' | 'reason'>,
): BackupPlan {
  const { backup, type, copyOnly, parent, base, chain, position } = planned;
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
    ...(family === undefined ? {} : { family }),
    source: context.source,
    repository: context.repository,
    ...(why.promotedFrom === undefined ? {} : { promotedFrom: why.promotedFrom }),
    ...(why.reason === undefined ? {} : { reason: why.reason }),
  };
}
