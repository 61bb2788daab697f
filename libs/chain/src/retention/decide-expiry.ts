import { domainEvent, type AnyDomainEvent } from '@catena/events';
import { accept, NOTHING_TO_DO, refuse, type Decision } from '@catena/run';
import {
  evolveCollectionWith,
  type CollectedBackup,
  type CollectionState,
} from '../collection/collection-state.ts';
import { standingOf } from '../collection/usable.ts';
import type { ForkOrigins } from './branches.ts';
import { durationAfter } from './duration.ts';
import { evaluateRetention, type RetentionClock } from './evaluate-retention.ts';
import type { RetentionPolicy } from './policy.ts';
import type { RetentionPoint } from './point.ts';

/** What retention must know besides the collection itself. */
export interface ExpiryFacts {
  /** Undefined keeps everything. */
  readonly policy: RetentionPolicy | undefined;
  /** Whether a person took it, or a schedule that is gone. */
  readonly isManual: (backup: CollectedBackup) => boolean;
  /** Why a backup must not go though its policy says so: a lease, a lock, a run that reads it. */
  readonly holdsOf: (backup: CollectedBackup) => readonly string[];
}

/**
 * Decides what expires and what is condemned now (rules.md 5.4). The events belong into one append that expects the very
 * version of the collection that plans claim, so no backup is condemned and made a parent at once. Deciding again appends
 * nothing.
 * @throws CatenaError `retention.keeps-nothing`: nothing expires until the policy is mended.
 */
export function decideExpiry(
  state: CollectionState,
  facts: ExpiryFacts,
  clock: RetentionClock,
): readonly AnyDomainEvent[] {
  const expired = expire(state, facts, clock);
  const after = evolveCollectionWith(state, expired);
  return [...expired, ...condemn(after, facts, clock)];
}

/** A person takes an expiry back, within its grace. The backup is pinned, or the same rule would expire it again. */
export function undoExpiry(state: CollectionState, backup: string, now: string): Decision {
  const mark = state.unusable.get(backup);
  if (mark === 'condemned' || !state.expired.has(backup)) {
    return mark === undefined && state.pinned.has(backup) ? NOTHING_TO_DO : notExpired(state, backup, mark);
  }
  const until = state.expired.get(backup);
  if (until !== undefined && now > until) {
    return refuse('retention.grace-over', `The expiry of ${backup} could be undone until ${until}.`, {
      remedy: 'Its objects may still be there: pin what depends on it, or restore it from a copy.',
    });
  }
  return accept(
    domainEvent('collection.expiry-undone', state.collection, { backup }),
    domainEvent('collection.backup-pinned', state.collection, { backup, reason: 'expiry undone' }),
  );
}

/** A person says that a backup stays whatever the policy says. */
export function pinBackup(state: CollectionState, backup: string, reason?: string): Decision {
  const mark = state.unusable.get(backup);
  if (!state.backups.has(backup) || mark === 'condemned') return notExpired(state, backup, mark);
  if (state.pinned.has(backup)) return NOTHING_TO_DO;
  const data = reason === undefined ? { backup } : { backup, reason };
  return accept(domainEvent('collection.backup-pinned', state.collection, data));
}

/** The policy decides again. */
export function unpinBackup(state: CollectionState, backup: string): Decision {
  if (!state.pinned.has(backup)) return NOTHING_TO_DO;
  return accept(domainEvent('collection.backup-unpinned', state.collection, { backup }));
}

/** A mover removed what was condemned. Saying it again appends nothing. */
export function recordDeleted(state: CollectionState, backup: string, run: string, bytes?: number): Decision {
  if (state.unusable.get(backup) !== 'condemned') {
    return refuse(
      'retention.not-condemned',
      `The backup ${backup} was deleted without having been condemned.`,
    );
  }
  if (state.deleted.has(backup)) return NOTHING_TO_DO;
  const freed = bytes === undefined ? {} : { bytes };
  return accept(domainEvent('collection.backup-deleted', state.collection, { backup, run, ...freed }));
}

/** Backups of the collection that retention still decides about. */
export function retentionPointsOf(state: CollectionState, facts: ExpiryFacts): RetentionPoint[] {
  const points: RetentionPoint[] = [];
  for (const backup of state.backups.values()) {
    if (!isOut(state, backup.backup)) points.push(pointOf(state, backup, facts));
  }
  return points;
}

function expire(state: CollectionState, facts: ExpiryFacts, clock: RetentionClock): AnyDomainEvent[] {
  const points = retentionPointsOf(state, facts);
  const history = [...state.backups.values()].map((backup) => pointOf(state, backup, facts));
  const verdict = evaluateRetention(facts.policy, points, clock, history, originsOf(state));
  const grace = facts.policy?.grace;
  const undo =
    grace === undefined
      ? {}
      : { undoUntil: new Date(durationAfter(clock.now, grace, clock.calendar)).toISOString() };
  const gone = [
    ...verdict.delete.map(({ id, reason }) => ({ id, because: reason })),
    ...verdict.keep.flatMap(({ id, expired }) => (expired === undefined ? [] : [{ id, because: expired }])),
  ];
  return gone.map(({ id, because }) =>
    domainEvent('collection.backup-unusable', state.collection, {
      backup: id,
      reason: 'expired',
      because,
      ...undo,
    }),
  );
}

/** What expired and is needed by nothing that is kept, being made, held or still within its grace. */
function condemn(state: CollectionState, facts: ExpiryFacts, clock: RetentionClock): AnyDomainEvent[] {
  const now = new Date(clock.now).toISOString();
  const needed = new Set<string>();
  const need = (id: string | undefined) => {
    if (id === undefined) return;
    needed.add(id);
    for (const part of state.backups.get(id)?.closure ?? []) needed.add(part);
  };
  for (const backup of state.backups.values()) {
    if (!mayGo(state, backup, facts, now)) need(backup.backup);
  }
  for (const planned of state.planned.values()) {
    need(planned.parent);
    need(planned.base);
    need(planned.from);
  }
  return [...state.backups.keys()]
    .filter((id) => !needed.has(id) && state.expired.has(id) && state.unusable.get(id) !== 'condemned')
    .map((backup) =>
      domainEvent('collection.backup-unusable', state.collection, { backup, reason: 'condemned' }),
    );
}

function mayGo(state: CollectionState, backup: CollectedBackup, facts: ExpiryFacts, now: string): boolean {
  const { backup: id } = backup;
  if (state.unusable.get(id) === 'condemned') return true;
  if (!state.expired.has(id) || state.pinned.has(id)) return false;
  const until = state.expired.get(id);
  return (until === undefined || now > until) && facts.holdsOf(backup).length === 0;
}

/** Retention has decided about it already. */
function isOut(state: CollectionState, backup: string): boolean {
  return state.expired.has(backup) || state.unusable.get(backup) === 'condemned';
}

function pointOf(state: CollectionState, backup: CollectedBackup, facts: ExpiryFacts): RetentionPoint {
  const pinned = state.pinned.has(backup.backup) ? ['pinned'] : [];
  return {
    id: backup.backup,
    time: Date.parse(backup.asOf),
    type: backup.type,
    copyOnly: backup.copyOnly,
    manual: facts.isManual(backup),
    tags: [],
    holds: [...pinned, ...facts.holdsOf(backup)],
    usable: standingOf(state, backup.backup).usable,
    needs: backup.closure,
    group: state.collection,
    bytes: undefined,
    place: { family: backup.family, position: backup.position, fork: backup.fork, start: backup.start },
  };
}

function originsOf({ forks }: CollectionState): ForkOrigins {
  return new Map(
    [...forks].flatMap(([fork, origin]) => (origin === undefined ? [] : [[fork, origin] as const])),
  );
}

function notExpired(state: CollectionState, backup: string, mark: string | undefined): Decision {
  if (!state.backups.has(backup)) {
    return refuse('chain.backup-unknown', `The collection ${state.collection} has no backup ${backup}.`, {
      remedy: 'catena backups lists them.',
    });
  }
  return mark === 'condemned'
    ? refuse('retention.condemned', `The backup ${backup} is condemned, which cannot be taken back.`, {
        remedy: 'Restore it from a copy, if there is one.',
      })
    : refuse('retention.not-expired', `The backup ${backup} has not expired.`);
}
