import {
  collectionIdOf,
  domainEvent,
  type AnyDomainEvent,
  type DefinitionSnapshot,
  type Failure,
  type RunPlan,
  type RunRequest,
} from '@catena/events';
import { isOver, planRun, refuseRun, type RunState } from '@catena/run';
import { settledPositionOf } from '../collection/adopt-found.ts';
import { initialCollection, type CollectionState } from '../collection/collection-state.ts';
import { planBackup } from '../collection/plan-backup.ts';
import { planCompose } from '../collection/plan-compose.ts';
import { findBackup } from './find-backup.ts';
import { planPrune } from './prune-run.ts';
import { planRestoreRun } from './restore-run.ts';
import { planSweep } from './sweep-run.ts';

/** What the chain catalog has loaded to plan a run. */
export interface PlanningFacts {
  /** The source that a backup names, or the one a restored backup is of; absent when there is none (any more). */
  readonly source?: DefinitionSnapshot | undefined;
  /** The repository that the request names; absent when there is none. */
  readonly repository?: DefinitionSnapshot | undefined;
  /** For a backup its collection, if it has a history; for the others all collections of the repository. */
  readonly collections: readonly CollectionState[];
  /** What the source is now, when that is known before a mover looks. */
  readonly family?: string | undefined;
  /** Whether the source keeps a log that can be backed up; default no. */
  readonly keepsLog?: boolean | undefined;
}

/**
 * `append`: one append, whatever aggregates it spans. `wait`: nothing now; decide again when that run is over.
 * `nothing`: it was decided before.
 */
export type PlanningDecision =
  | { readonly kind: 'append'; readonly events: readonly AnyDomainEvent[] }
  | { readonly kind: 'wait'; readonly for: string }
  | { readonly kind: 'nothing' };

type Planned =
  | { readonly kind: 'plan'; readonly plan: RunPlan; readonly events: readonly AnyDomainEvent[] }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'wait'; readonly for: string };

/** Decides what a requested run must do, and claims its place in the collection in the same append. */
export function decidePlan(run: RunState, facts: PlanningFacts): PlanningDecision {
  const { request } = run;
  if (request === undefined || run.plan !== undefined || isOver(run)) return { kind: 'nothing' };
  const planned = planOf(run.run, request, facts);
  if (planned.kind === 'wait') return planned;
  const decision = planned.kind === 'plan' ? planRun(run, planned.plan) : refuseRun(run, planned.failure);
  if (!decision.accepted || decision.events.length === 0) return { kind: 'nothing' };
  return {
    kind: 'append',
    events: [...decision.events, ...(planned.kind === 'plan' ? planned.events : [])],
  };
}

function planOf(run: string, request: RunRequest, facts: PlanningFacts): Planned {
  const { repository } = facts;
  if (repository === undefined) return refused(unknownDefinition('Repository', request.repository));
  switch (request.kind) {
    case 'backup':
      return planBackupRun(run, request, repository, facts);
    case 'compose':
      return planComposeRun(run, request, repository, facts);
    case 'restore':
      return planRestoreOf(run, request, repository, facts);
    case 'verify':
      return planVerify(run, request, repository, facts);
    case 'rescan':
      return {
        kind: 'plan',
        plan: {
          kind: 'rescan',
          repository,
          settledThrough: Object.fromEntries(
            facts.collections.map((state) => [state.collection, settledPositionOf(state)]),
          ),
        },
        events: [],
      };
    case 'prune': {
      const planned = planPrune(request, repository, facts.collections);
      return 'failure' in planned ? refused(planned.failure) : { kind: 'plan', ...planned, events: [] };
    }
    case 'sweep': {
      const planned = planSweep(request, repository);
      return 'failure' in planned ? refused(planned.failure) : { kind: 'plan', ...planned, events: [] };
    }
  }
}

function planBackupRun(
  run: string,
  request: Extract<RunRequest, { kind: 'backup' }>,
  repository: DefinitionSnapshot,
  facts: PlanningFacts,
): Planned {
  const { source, family, keepsLog } = facts;
  if (source === undefined) return refused(unknownDefinition('Source', request.source));
  if (repository.spec['access'] === 'external') return refused(neverWrittenTo(repository));
  const id = collectionIdOf(source.uid, repository.uid);
  const state = facts.collections.find((one) => one.collection === id) ?? initialCollection(id);
  const planning = planBackup(state, request, { run, source, repository, family, keepsLog });
  return planning.kind === 'planned' ? { ...planning, kind: 'plan' } : planning;
}

function planComposeRun(
  run: string,
  request: Extract<RunRequest, { kind: 'compose' }>,
  repository: DefinitionSnapshot,
  facts: PlanningFacts,
): Planned {
  const { source } = facts;
  if (source === undefined) return refused(unknownDefinition('Source', request.source));
  if (repository.spec['access'] === 'external') return refused(neverWrittenTo(repository));
  const id = collectionIdOf(source.uid, repository.uid);
  const state = facts.collections.find((one) => one.collection === id) ?? initialCollection(id);
  const planning = planCompose(state, request, { run, source, repository });
  if (planning.kind === 'planned') return { ...planning, kind: 'plan' };
  if (planning.kind !== 'read') return planning;
  const { source: name } = request;
  const read = { kind: 'backup', source: name, repository: repository.name, type: 'full' } as const;
  const instead = planBackupRun(run, { ...read, copyOnly: false }, repository, facts);
  if (instead.kind !== 'plan' || instead.plan.kind !== 'backup') return instead;
  const reason = `The full is read from the source, not composed: ${planning.why}.`;
  return { ...instead, plan: { ...instead.plan, reason } };
}

function neverWrittenTo(repository: DefinitionSnapshot): Failure {
  return {
    code: 'chain.repository-external',
    message: `The repository ${repository.name} is external: it may be copied from, never to.`,
    remedy: 'Back up to a repository with access: readWrite.',
    retryable: false,
  };
}

function planRestoreOf(
  run: string,
  request: Extract<RunRequest, { kind: 'restore' }>,
  repository: DefinitionSnapshot,
  facts: PlanningFacts,
): Planned {
  const planned = planRestoreRun(run, request, repository, facts);
  return 'failure' in planned ? refused(planned.failure) : { kind: 'plan', ...planned };
}

function planVerify(
  run: string,
  request: Extract<RunRequest, { kind: 'verify' }>,
  repository: DefinitionSnapshot,
  facts: PlanningFacts,
): Planned {
  const { depth } = request;
  if (request.backup === undefined) {
    const backups = facts.collections.flatMap((state) => [
      ...[...state.backups.keys()].filter((backup) => state.unusable.get(backup) !== 'condemned'),
    ]);
    return { kind: 'plan', plan: { kind: 'verify', repository, backups, depth }, events: [] };
  }
  const found = findBackup(facts.collections, request.backup, repository.name);
  if (found.kind === 'refused') return found;
  const backups = [found.backup.backup];
  return {
    kind: 'plan',
    plan: { kind: 'verify', repository, backups, depth },
    events: [inUse(found.state, run, found.backup.backup)],
  };
}

/**
 * Moves the collection's version, so that a backup is not condemned by who has not seen the run that reads it. Of a verify
 * of a whole repository nothing is said: what is condemned meanwhile is no damage to it.
 */
function inUse(state: CollectionState, run: string, backup: string): AnyDomainEvent {
  return domainEvent('collection.backups-in-use', state.collection, { run, backups: [backup] });
}

function unknownDefinition(kind: string, name: string): Failure {
  return {
    code: 'chain.definition-unknown',
    message: `There is no ${kind} named ${name}.`,
    remedy: `Apply its definition, then ask again.`,
    retryable: false,
  };
}

function refused(failure: Failure): Planned {
  return { kind: 'refused', failure };
}
