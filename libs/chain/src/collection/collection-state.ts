import type { BackupType, EventData } from '@catena/events';
import type { FoldableEvent } from '@catena/run';
import { comparePositions, laterPosition, type Position } from '../position.ts';
import type { ForkOrigin } from '../restore-plan/fork-path.ts';
import type { RestoreMark } from '../restore-plan/restorable.ts';

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
  /** The branch of the source; absent for a source that has none. */
  readonly fork?: string | undefined;
  /** Of a log: where it begins. */
  readonly start?: Position | undefined;
  /** Of a full that is composed: the backup it will show. */
  readonly from?: string | undefined;
}

/** A backup that exists. */
export interface CollectedBackup extends PlannedBackup {
  readonly family: string;
  readonly asOf: string;
  /** Backups whose objects it needs, itself not among them. */
  readonly closure: readonly string[];
  /** Of a log: what is found in it by those who look for a place; absent when it is not known. */
  readonly marks?: readonly RestoreMark[] | undefined;
  readonly moreMarks?: number | undefined;
  readonly transactions?: readonly (readonly [first: number, last: number])[] | undefined;
}

/** Where the next regular log begins. */
export interface ArchivePoint {
  readonly position: Position;
  readonly fork?: string | undefined;
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
  /** The branch that the source is on; absent for a source that has none. */
  readonly fork?: string;
  /** Every branch in the order in which it was met, and where it left its parent, when that is known. */
  readonly forks: ReadonlyMap<string, ForkOrigin | undefined>;
  /** Absent while no log chain has begun. */
  readonly archivePoint?: ArchivePoint;
  /** What a person said the source is now, whatever the chains were taken from. */
  readonly acceptedFamily?: string;
  /** Backups that no policy lets go. */
  readonly pinned: ReadonlySet<string>;
  /** Expired backups, whatever else is wrong with them: until when that can be undone; undefined when no grace was given. */
  readonly expired: ReadonlyMap<string, string | undefined>;
  /** Condemned backups whose objects are gone. */
  readonly deleted: ReadonlySet<string>;
}

interface Draft {
  collection: string;
  place?: CollectionPlace;
  backups: Map<string, CollectedBackup>;
  planned: Map<string, PlannedBackup>;
  unusable: Map<string, UnusableReason>;
  lastPosition: Position;
  fork?: string;
  forks: Map<string, ForkOrigin | undefined>;
  archivePoint?: ArchivePoint;
  acceptedFamily?: string;
  pinned: Set<string>;
  expired: Map<string, string | undefined>;
  deleted: Set<string>;
}

export function initialCollection(collection: string): CollectionState {
  return {
    collection,
    backups: new Map(),
    planned: new Map(),
    unusable: new Map(),
    lastPosition: '0',
    forks: new Map(),
    pinned: new Set(),
    expired: new Map(),
    deleted: new Set(),
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
    forks: new Map(state.forks),
    pinned: new Set(state.pinned),
    expired: new Map(state.expired),
    deleted: new Set(state.deleted),
  };
  for (const event of events) apply(draft, event);
  return draft;
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
      moveSource(draft, event.data);
      // A rescan that finds a missing backup again completes it once more; nothing else comes back.
      if (draft.unusable.get(event.data.backup) === 'missing') {
        if (draft.expired.has(event.data.backup)) draft.unusable.set(event.data.backup, 'expired');
        else draft.unusable.delete(event.data.backup);
      }
      return;
    case 'collection.plan-dropped':
      draft.planned.delete(event.data.run);
      return;
    case 'collection.backup-unusable':
      markOut(draft, event.data);
      return;
    case 'collection.expiry-undone':
      if (draft.unusable.get(event.data.backup) === 'expired') draft.unusable.delete(event.data.backup);
      draft.expired.delete(event.data.backup);
      return;
    case 'collection.backup-pinned':
      draft.pinned.add(event.data.backup);
      return;
    case 'collection.backup-unpinned':
      draft.pinned.delete(event.data.backup);
      return;
    case 'collection.backup-deleted':
      draft.deleted.add(event.data.backup);
      return;
    case 'collection.archive-point-lost':
      delete draft.archivePoint;
      return;
    case 'collection.forked':
      branchOff(draft, event.data);
      return;
    case 'collection.family-accepted':
      draft.acceptedFamily = event.data.family;
      delete draft.archivePoint;
      delete draft.fork;
      return;
    default:
  }
}

/**
 * Condemned is irrevocable: nothing that is said later takes it back. An expiry does not hide damage, or what depends on
 * a damaged backup would look usable again.
 */
function markOut(draft: Draft, data: EventData<'collection.backup-unusable'>): void {
  const known = draft.unusable.get(data.backup);
  if (data.reason === 'expired' && known !== 'condemned') draft.expired.set(data.backup, data.undoUntil);
  if (known === undefined || known === 'expired' || data.reason === 'condemned') {
    draft.unusable.set(data.backup, data.reason);
  }
}

/** What a completed backup says about the source's own history (rules.md section 1, column "log archive point"). */
function moveSource(draft: Draft, backup: EventData<'collection.backup-completed'>): void {
  if (backup.copyOnly) return;
  const { fork, position } = backup;
  if (fork !== undefined && !draft.forks.has(fork)) draft.forks.set(fork, undefined);
  if (fork !== undefined) draft.fork ??= fork;
  if (backup.type === 'log') {
    const known = draft.archivePoint;
    const isLater = known?.fork !== fork || comparePositions(position, known?.position ?? '0') > 0;
    if (isLater) draft.archivePoint = { position, fork };
  } else if (draft.archivePoint === undefined && backup.archivePoint !== undefined) {
    draft.archivePoint = { position: backup.archivePoint, fork };
  }
}

/** The log chain goes on from the fork point, or from where it stood when that is earlier: both are on the new branch. */
function branchOff(draft: Draft, { fork, parent, at }: EventData<'collection.forked'>): void {
  const origin = parent === undefined || at === undefined ? undefined : { parent, at };
  // Of a branch that another one came from already the log is taken late: the source is not back on it.
  const isLeft = [...draft.forks.values()].some((known) => known?.parent === fork);
  draft.forks.set(fork, origin);
  if (!isLeft) draft.fork = fork;
  const point = draft.archivePoint;
  if (point === undefined) return;
  if (origin === undefined) delete draft.archivePoint;
  else if (comparePositions(origin.at, point.position) < 0)
    draft.archivePoint = { position: origin.at, fork };
  else draft.archivePoint = { position: point.position, fork };
}
