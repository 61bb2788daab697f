import {
  backupIdOfRun,
  domainEvent,
  type AnyDomainEvent,
  type ComposePlan,
  type DefinitionSnapshot,
  type Failure,
  type RunRequest,
} from '@catena/events';
import type { CollectedBackup, CollectionState, PlannedBackup } from './collection-state.ts';
import { familyOf, newestDataBackupOf } from './usable.ts';

export type ComposeRequest = Extract<RunRequest, { kind: 'compose' }>;

/**
 * A plan with what is to be appended for it, a refusal, the run that must be over first, or that a full is to be read from
 * the source instead.
 */
export type ComposePlanning =
  | { readonly kind: 'planned'; readonly plan: ComposePlan; readonly events: readonly AnyDomainEvent[] }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'wait'; readonly for: string }
  | { readonly kind: 'read'; readonly why: string };

/** What the planner is told about the run and its definitions. */
export interface ComposePlanningContext {
  readonly run: string;
  readonly source: DefinitionSnapshot;
  readonly repository: DefinitionSnapshot;
}

/**
 * Decides what a full is composed from (rules.md 3.1): the newest usable data backup, whose position, time and family it
 * has. It is a data run of its collection like any other, so nothing is made on the old chain meanwhile.
 */
export function planCompose(
  state: CollectionState,
  request: ComposeRequest,
  context: ComposePlanningContext,
): ComposePlanning {
  const before = state.planned.get(context.run);
  if (before !== undefined) return planned(state, before, context, []);
  for (const one of state.planned.values())
    if (!one.copyOnly && one.type !== 'log') return { kind: 'wait', for: one.run };
  const from = newestDataBackupOf(state);
  if (from === undefined) {
    const why = `${request.source} has no usable backup in ${request.repository}`;
    if (request.whenNoFull === 'full') return { kind: 'read', why };
    return nothingToCompose(
      request,
      why,
      'Take a full that is read from the source; later ones can be composed.',
    );
  }
  if (from.type === 'full')
    return nothingToCompose(
      request,
      `its newest backup ${from.backup} is a full already`,
      'Take an incremental first; composing it again would only store it twice.',
    );
  const place = placeFor(context.run, from);
  return planned(state, place, context, [
    domainEvent('collection.backup-planned', state.collection, { ...place, from: from.backup }),
  ]);
}

function placeFor(run: string, from: CollectedBackup): PlannedBackup {
  const backup = backupIdOfRun(run);
  return {
    run,
    backup,
    type: 'full',
    copyOnly: false,
    chain: backup,
    ...(from.fork === undefined ? {} : { fork: from.fork }),
    position: from.position,
    from: from.backup,
  };
}

function planned(
  state: CollectionState,
  { backup, position, from }: PlannedBackup,
  { source, repository }: ComposePlanningContext,
  events: readonly AnyDomainEvent[],
): ComposePlanning {
  const shown = from === undefined ? undefined : state.backups.get(from);
  if (shown === undefined) throw new RangeError(`${backup} is planned and is composed from nothing`);
  return {
    kind: 'planned',
    plan: {
      kind: 'compose',
      collection: state.collection,
      backup,
      from: shown.backup,
      closure: [...shown.closure, shown.backup],
      position,
      family: familyOf(state) ?? shown.family,
      source,
      repository,
    },
    events,
  };
}

function nothingToCompose(request: ComposeRequest, why: string, remedy: string): ComposePlanning {
  return {
    kind: 'refused',
    failure: {
      code: 'chain.nothing-to-compose',
      message: `No full of ${request.source} can be composed in ${request.repository}: ${why}.`,
      remedy,
      retryable: false,
    },
  };
}
