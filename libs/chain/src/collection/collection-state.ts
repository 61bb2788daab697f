import type { BackupType, EventData } from '@catena/events';
import type { FoldableEvent } from '@catena/run';
import { laterPosition, type Position } from '../position.ts';

/** One source in one repository. */
export type CollectionPlace = EventData<'collection.opened'>;

export type UnusableReason = EventData<'collection.backup-unusable'>['reason'];

/** What a backup was computed from. Bound by id, never by comparing positions. */
export interface Lineage {
  readonly run: string;
  readonly backup: string;
  readonly type: BackupType;
  readonly copyOnly: boolean;
  readonly parent?: string | undefined;
  readonly base?: string | undefined;
  /** Id of the chain: its full. */
  readonly chain: string;
}

/** A backup that a run has claimed a place for. */
export interface PlannedBackup extends Lineage {
  readonly position: Position;
}

/** A backup that exists. */
export interface CollectedBackup extends PlannedBackup {
  readonly family: string;
  readonly asOf: string;
  /** Backups whose objects it needs, itself not among them. */
  readonly closure: readonly string[];
}

/** The collection as folded from its own events. */
export interface CollectionState {
  readonly collection: string;
  /** Absent until it was opened. */
  readonly place?: CollectionPlace;
  readonly backups: ReadonlyMap<string, CollectedBackup>;
  /** By run: what is being made. */
  readonly planned: ReadonlyMap<string, PlannedBackup>;
  /** Named as unusable itself; what depends on them is found through closures. */
  readonly unusable: ReadonlyMap<string, UnusableReason>;
  /** The highest position that was reserved or completed. */
  readonly lastPosition: Position;
}

interface Draft {
  collection: string;
  place?: CollectionPlace;
  backups: Map<string, CollectedBackup>;
  planned: Map<string, PlannedBackup>;
  unusable: Map<string, UnusableReason>;
  lastPosition: Position;
}

export function initialCollection(collection: string): CollectionState {
  return {
    collection,
    backups: new Map(),
    planned: new Map(),
    unusable: new Map(),
    lastPosition: '0',
  };
}

/** The collection after one more of its events; the state that was given stays as it was. */
export function evolveCollection(state: CollectionState, event: FoldableEvent): CollectionState {
  return evolveCollectionWith(state, [event]);
}

/** The collection after several of its events, oldest first: one copy, however many they are. */
export function evolveCollectionWith(
  state: CollectionState,
  events: Iterable<FoldableEvent>,
): CollectionState {
  const draft: Draft = {
    ...state,
    backups: new Map(state.backups),
    planned: new Map(state.planned),
    unusable: new Map(state.unusable),
  };
  for (const event of events) apply(draft, event);
  return draft;
}

/** The collection after its whole history. */
export function collectionFrom(collection: string, events: Iterable<FoldableEvent>): CollectionState {
  return evolveCollectionWith(initialCollection(collection), events);
}

function apply(draft: Draft, event: FoldableEvent): void {
  switch (event.type) {
    case 'collection.opened':
      draft.place = event.data;
      return;
    case 'collection.backup-planned':
      if (!draft.backups.has(event.data.backup)) draft.planned.set(event.data.run, event.data);
      draft.lastPosition = laterPosition(draft.lastPosition, event.data.position);
      return;
    case 'collection.backup-completed':
      draft.planned.delete(event.data.run);
      draft.backups.set(event.data.backup, event.data);
      draft.lastPosition = laterPosition(draft.lastPosition, event.data.position);
      // A rescan that finds a missing backup again completes it once more; nothing else comes back.
      if (draft.unusable.get(event.data.backup) === 'missing') draft.unusable.delete(event.data.backup);
      return;
    case 'collection.plan-dropped':
      draft.planned.delete(event.data.run);
      return;
    case 'collection.backup-unusable':
      if (draft.unusable.get(event.data.backup) !== 'condemned') {
        draft.unusable.set(event.data.backup, event.data.reason);
      }
      return;
    default:
  }
}
