import {
  CatenaError,
  domainEvent,
  type AnyDomainEvent,
  type DefinitionSnapshot,
  type Failure,
  type RestoreStop,
  type RunPlan,
  type RunRequest,
} from '@catena/events';
import type { CollectionState } from '../collection/collection-state.ts';
import { standingOf } from '../collection/usable.ts';
import { planRestore } from '../restore-plan/plan-restore.ts';
import type { RestorePlan } from '../restore-plan/restore-plan.ts';
import type { RestorableBackup } from '../restore-plan/restorable.ts';
import { stopOfPlan, targetOfStop } from '../restore-plan/target-of-stop.ts';
import { findBackup } from './find-backup.ts';

type RestoreRequest = Extract<RunRequest, { kind: 'restore' }>;
type PlannedRestore = Extract<RunPlan, { kind: 'restore' }>;

/** What a restore is planned from: the collections of the repository, and the source it is of, if it is still defined. */
export interface RestoreFacts {
  readonly collections: readonly CollectionState[];
  readonly source?: DefinitionSnapshot | undefined;
}

export type RestoreDecision =
  | { readonly plan: PlannedRestore; readonly events: readonly AnyDomainEvent[] }
  | { readonly failure: Failure };

/**
 * Plans a restore: of one backup as it is, or of a source to a place in its history (rules.md section 2). A place that
 * cannot be reached is refused with the nearest that can, unless the nearest was asked for.
 */
export function planRestoreRun(
  run: string,
  request: RestoreRequest,
  repository: DefinitionSnapshot,
  facts: RestoreFacts,
): RestoreDecision {
  if (request.backup !== undefined && request.until === undefined) {
    const found = findBackup(facts.collections, request.backup, repository.name);
    if (found.kind === 'refused') return found;
    const failure = notUsable(found.state, found.backup.backup);
    if (failure !== undefined) return { failure };
    return planned(run, request, repository, facts, found.state, { backup: found.backup.backup, logs: [] });
  }
  const owner = ownerOf(request, repository, facts);
  return 'failure' in owner ? owner : toPlace(run, request, repository, facts, owner);
}

function ownerOf(
  request: RestoreRequest,
  repository: DefinitionSnapshot,
  { collections, source }: RestoreFacts,
): { readonly state: CollectionState; readonly base?: string } | { readonly failure: Failure } {
  if (request.backup !== undefined) {
    const found = findBackup(collections, request.backup, repository.name);
    if (found.kind === 'refused') return found;
    return { state: found.state, base: found.backup.backup };
  }
  const isOfSource = ({ place }: CollectionState) =>
    source === undefined ? place?.source === request.source : place?.sourceUid === source.uid;
  const state = request.source === undefined ? undefined : collections.find(isOfSource);
  if (state !== undefined && state.backups.size > 0) return { state };
  return {
    failure: final(
      'chain.nothing-to-restore',
      request.source === undefined
        ? 'The restore names neither a backup nor a source.'
        : `There is no backup of ${request.source} in ${repository.name}.`,
      'catena backups lists what there is.',
    ),
  };
}

function toPlace(
  run: string,
  request: RestoreRequest,
  repository: DefinitionSnapshot,
  facts: RestoreFacts,
  { state, base }: { readonly state: CollectionState; readonly base?: string },
): RestoreDecision {
  const { until, nearest = false } = request;
  const all = [...state.backups.values()].map((one) => restorable(state, one.backup, repository.name));
  const forks = new Map([...state.forks].flatMap(([fork, origin]) => (origin ? [[fork, origin]] : [])));
  const options = { base, forks, fork: until?.fork };
  const plan = planOrRefusal(() => planRestore(all, targetOfStop(until), options));
  if ('failure' in plan) return plan;
  const [data, ...logs] = plan.steps;
  if (data === undefined) return { failure: nothingBefore(state, until, plan) };
  const lacking = plan.steps.find((step) => !step.present);
  if (lacking !== undefined) {
    const failure = notUsable(state, lacking.backup);
    if (failure !== undefined) return { failure };
  }
  const keepsLog = all.some((one) => one.type === 'log') || state.archivePoint !== undefined;
  if (!plan.reachesTarget && keepsLog && !nearest) return { failure: outOfReach(state, until, plan) };
  const stop = stopOfPlan(until, plan);
  return planned(run, request, repository, facts, state, {
    backup: data.backup,
    logs: logs.map((step) => step.backup),
    stop,
  });
}

function planned(
  run: string,
  { target, include, overwrite, ownership, parts, delta, cluster }: RestoreRequest,
  repository: DefinitionSnapshot,
  facts: RestoreFacts,
  state: CollectionState,
  steps: {
    readonly backup: string;
    readonly logs: readonly string[];
    readonly stop?: RestoreStop | undefined;
  },
): RestoreDecision {
  const { backup, logs, stop } = steps;
  const source = facts.source ?? {
    uid: state.place?.sourceUid ?? state.collection,
    name: state.place?.source ?? 'unknown',
    generation: 0,
    spec: {},
  };
  return {
    plan: {
      kind: 'restore',
      collection: state.collection,
      backup,
      ...(logs.length === 0 ? {} : { logs: [...logs] }),
      ...(stop === undefined ? {} : { stop }),
      repository,
      source,
      target,
      include,
      overwrite,
      ...(ownership === undefined ? {} : { ownership }),
      ...(parts === undefined ? {} : { parts }),
      ...(delta === undefined ? {} : { delta }),
      ...(cluster === undefined ? {} : { cluster }),
    },
    events: [domainEvent('collection.backups-in-use', state.collection, { run, backups: [backup, ...logs] })],
  };
}

/** A mark or a transaction that no log holds is a refusal like others. */
function planOrRefusal(plan: () => RestorePlan): RestorePlan | { readonly failure: Failure } {
  try {
    return plan();
  } catch (error) {
    if (!(error instanceof CatenaError)) throw error;
    return {
      failure: final(error.code, error.message, error.remedy ?? 'catena backups lists what there is.'),
    };
  }
}

function restorable(state: CollectionState, backup: string, repository: string): RestorableBackup {
  const known = state.backups.get(backup);
  if (known === undefined) throw new Error(`${backup} is not in ${state.collection}.`);
  const { type, copyOnly, family, fork, start, position, asOf, closure } = known;
  const { marks, moreMarks, transactions } = known;
  const reason = state.deleted.has(backup) ? 'deleted' : (state.unusable.get(backup) ?? 'usable');
  return {
    ...{ backup, repository, type, copyOnly, family, fork, start, position, asOf, closure },
    ...{ marks, moreMarks, transactions },
    bytes: 0,
    keyIds: [],
    state: reason,
  };
}

function notUsable(state: CollectionState, backup: string): Failure | undefined {
  const standing = standingOf(state, backup);
  if (standing.usable) return undefined;
  return final(
    'chain.backup-unusable',
    `The backup ${backup} cannot be restored: ${
      standing.through === backup ? 'it' : `${standing.through}, which it needs,`
    } is ${standing.reason}.`,
    'Choose an earlier backup or a copy in another repository.',
  );
}

function nothingBefore(state: CollectionState, until: RestoreStop | undefined, plan: RestorePlan): Failure {
  const { after } = plan.neighbours;
  return final(
    'chain.nothing-before',
    `No usable backup of ${nameOf(state)} ends at or before ${wordsOf(until)}.`,
    after === null ? 'catena backups lists what there is.' : `The first time that can be had is ${after}.`,
  );
}

function outOfReach(state: CollectionState, until: RestoreStop | undefined, plan: RestorePlan): Failure {
  const { lastReachable, gap, neighbours } = plan;
  const reached = lastReachable?.at ?? lastReachable?.position ?? 'nothing';
  const missing =
    gap?.to == null
      ? 'the log after it is not backed up'
      : `the log up to ${gap.to.at ?? gap.to.position} is missing`;
  const others = [neighbours.before, neighbours.after].filter((one) => one !== null).join(' and ');
  return final(
    'chain.target-out-of-reach',
    `${nameOf(state)} cannot be restored to ${wordsOf(until)}: its backups reach ${reached}, and ${missing}.`,
    `Back up its log and ask again, or take the nearest with --nearest.${others === '' ? '' : ` Times that can be had: ${others}.`}`,
  );
}

function nameOf(state: CollectionState): string {
  return state.place?.source ?? state.collection;
}

function wordsOf(until: RestoreStop | undefined): string {
  if (until === undefined) return 'its newest state';
  if ('at' in until) return until.at;
  if ('position' in until) return `position ${until.position}`;
  return 'mark' in until ? `the mark ${until.mark}` : `the transaction ${until.transaction}`;
}

function final(code: string, message: string, remedy: string): Failure {
  return { code, message, remedy, retryable: false };
}
