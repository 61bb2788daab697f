import type { AnyDomainEvent, DefinitionSnapshot, Failure, RunPlan, RunRequest } from '@catena/events';
import { requestRun, type RunState } from '@catena/run';
import type { CollectionState } from '../collection/collection-state.ts';
import { recordDeleted } from '../retention/decide-expiry.ts';
import { deletionRefused } from './may-delete.ts';

type PruneRequest = Extract<RunRequest, { kind: 'prune' }>;
type PrunePlan = Extract<RunPlan, { kind: 'prune' }>;
type Deleted = { readonly backup: string; readonly bytes: number };

/** Condemned backups whose objects may still be there, in the order in which they were made. */
export function condemnedOf(state: CollectionState): readonly string[] {
  return [...state.backups.keys()].filter(
    (backup) => state.unusable.get(backup) === 'condemned' && !state.deleted.has(backup),
  );
}

/**
 * Asks for a prune of what is condemned. The same state on the same day asks for the same run.
 * @param run what the log has of the run `pruneRunId` names; empty unless it was asked for before.
 */
export function requestPrune(state: CollectionState, run: RunState): readonly AnyDomainEvent[] {
  const { place } = state;
  if (place === undefined || run.request !== undefined || condemnedOf(state).length === 0) return [];
  const request: PruneRequest = {
    kind: 'prune',
    repository: place.repository,
    collection: state.collection,
  };
  const decision = requestRun(run, { request });
  return decision.accepted ? decision.events : [];
}

/** Plans the deletion of everything that is condemned. Irrevocable by then, so nothing has to be claimed. */
export function planPrune(
  request: PruneRequest,
  repository: DefinitionSnapshot,
  collections: readonly CollectionState[],
): { readonly plan: PrunePlan } | { readonly failure: Failure } {
  const state = collections.find((one) => one.collection === request.collection);
  if (state?.place?.repositoryUid !== repository.uid) {
    return {
      failure: {
        code: 'chain.collection-unknown',
        message: `The repository ${repository.name} has no collection ${request.collection}.`,
        remedy:
          'Its repository was defined anew; apply the definition it was made with, or delete the folder.',
        retryable: false,
      },
    };
  }
  const failure = deletionRefused(repository);
  if (failure !== undefined) return { failure };
  const backups = condemnedOf(state).map((backup) => ({
    backup,
    run: state.backups.get(backup)?.run ?? '',
  }));
  return { plan: { kind: 'prune', collection: state.collection, repository, backups } };
}

/** What the prune deleted, one step for each backup. What it was not planned to delete is not recorded. */
export function deletedSteps(
  collections: readonly CollectionState[],
  plan: PrunePlan,
  run: string,
  deleted: readonly Deleted[],
): readonly (readonly AnyDomainEvent[])[] {
  const state = collections.find((one) => one.collection === plan.collection);
  const planned = new Set(plan.backups.map(({ backup }) => backup));
  if (state === undefined) return [];
  return deleted
    .filter(({ backup }) => planned.has(backup))
    .map(({ backup, bytes }) => {
      const decision = recordDeleted(state, backup, run, bytes);
      return decision.accepted ? decision.events : [];
    });
}

/** What a prune says of itself when it is done. */
export function pruneDetail(plan: PrunePlan, deleted: readonly Deleted[]): Record<string, unknown> {
  const gone = new Set(deleted.map(({ backup }) => backup));
  return {
    deleted: [...gone],
    left: plan.backups.map(({ backup }) => backup).filter((backup) => !gone.has(backup)),
    bytes: deleted.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
