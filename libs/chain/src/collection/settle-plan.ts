import {
  domainEvent,
  type AnyDomainEvent,
  type BackupPlan,
  type EventData,
  type Failure,
  type ManifestReport,
} from '@catena/events';
import { comparePositions } from '../position.ts';
import type { CollectionPlace, CollectionState, PlannedBackup, UnusableReason } from './collection-state.ts';
import { familyChanged } from './refuse-backup.ts';
import { familyOf } from './usable.ts';

/** A planned backup became one, or its manifest is not what was planned. */
export type BackupCompletion =
  | { readonly kind: 'completed'; readonly events: readonly AnyDomainEvent[] }
  | { readonly kind: 'refused'; readonly failure: Failure };

/** The commit point (architecture.md section 5): whoever created the manifest is the backup; the log records that one. */
export function completeBackup(
  state: CollectionState,
  run: string,
  plan: Pick<BackupPlan, 'source' | 'repository'>,
  manifest: ManifestReport,
): BackupCompletion {
  const planned = state.planned.get(run);
  if (planned === undefined) {
    return refused('chain.not-planned', `The run ${run} has no place in the collection ${state.collection}.`);
  }
  const difference = differenceBetween(planned, manifest);
  if (difference !== undefined) {
    return refused(
      'chain.manifest-contradicts-plan',
      `The manifest ${manifest.name} is not the backup that the run ${run} was planned to be: ${difference}.`,
    );
  }
  const family = familyOf(state);
  if (family !== undefined && family !== manifest.family) {
    return {
      kind: 'refused',
      failure: familyChanged(plan.source.name, plan.repository.name, family, manifest.family),
    };
  }
  const place: CollectionPlace = {
    source: plan.source.name,
    sourceUid: plan.source.uid,
    repository: plan.repository.name,
    repositoryUid: plan.repository.uid,
  };
  return {
    kind: 'completed',
    events: [
      domainEvent('backup.completed', manifest.backup, artefact(manifest, place)),
      ...branchedOff(state, run, manifest),
      domainEvent('collection.backup-completed', state.collection, collected(manifest)),
    ],
  };
}

/** The source is on another branch than the collection knew: it was recovered short of its end, or promoted. */
function branchedOff(state: CollectionState, run: string, manifest: ManifestReport): AnyDomainEvent[] {
  const { fork, forkParent: parent, forkAt: at } = manifest;
  const isKnown = fork === undefined || state.fork === undefined || state.forks.has(fork);
  if (isKnown || manifest.copyOnly) return [];
  return [
    domainEvent('collection.forked', state.collection, {
      fork,
      run,
      ...(parent === undefined ? {} : { parent }),
      ...(at === undefined ? {} : { at }),
    }),
  ];
}

/** The log since the last log backup is gone at the source: a gap. Saying it again appends nothing. */
export function loseArchivePoint(
  state: CollectionState,
  reason: EventData<'collection.archive-point-lost'>['reason'],
  run?: string,
): readonly AnyDomainEvent[] {
  const { archivePoint } = state;
  if (archivePoint === undefined) return [];
  return [
    domainEvent('collection.archive-point-lost', state.collection, {
      position: archivePoint.position,
      reason,
      ...(run === undefined ? {} : { run }),
    }),
  ];
}

/** A person says that what is at the address now goes on as a new chain. */
export function acceptFamily(state: CollectionState, family: string): readonly AnyDomainEvent[] {
  if (familyOf(state) === family) return [];
  return [domainEvent('collection.family-accepted', state.collection, { family })];
}

/** A planned backup will not come; its parent is free again and nothing else changed. */
export function dropPlan(
  state: CollectionState,
  run: string,
  reason: EventData<'collection.plan-dropped'>['reason'],
): readonly AnyDomainEvent[] {
  const planned = state.planned.get(run);
  if (planned === undefined) return [];
  const { backup } = planned;
  return [domainEvent('collection.plan-dropped', state.collection, { run, backup, reason })];
}

/** A backup can no longer be base or parent, nor what depends on it. Saying it again appends nothing. */
export function markUnusable(
  state: CollectionState,
  backup: string,
  reason: UnusableReason,
): readonly AnyDomainEvent[] {
  if (!state.backups.has(backup)) return [];
  const known = state.unusable.get(backup);
  if (known === reason || known === 'condemned') return [];
  return [domainEvent('collection.backup-unusable', state.collection, { backup, reason })];
}

/** What the backup's own history says of it. */
export function artefact(manifest: ManifestReport, place: CollectionPlace): EventData<'backup.completed'> {
  const { name, hash, startedAt, finishedAt, files, bytes, bytesAdded, keyIds, warningCount } = manifest;
  const { driverDetails } = manifest;
  return {
    ...collected(manifest),
    ...place,
    collection: manifest.collection,
    startedAt,
    finishedAt,
    manifest: { name, hash },
    files,
    bytes,
    bytesAdded,
    keyIds,
    warningCount,
    ...(driverDetails === undefined ? {} : { driverDetails }),
  };
}

/** What the collection keeps of a backup. */
export function collected(manifest: ManifestReport): EventData<'collection.backup-completed'> {
  const { run, backup, type, copyOnly, parent, base, chain, position, family, asOf, closure } = manifest;
  const { fork, start, archivePoint, marks, moreMarks, transactions } = manifest;
  return {
    run,
    backup,
    type,
    copyOnly,
    ...(parent === undefined ? {} : { parent }),
    ...(base === undefined ? {} : { base }),
    chain,
    position,
    ...(fork === undefined ? {} : { fork }),
    ...(start === undefined ? {} : { start }),
    ...(archivePoint === undefined ? {} : { archivePoint }),
    ...(marks === undefined ? {} : { marks }),
    ...(moreMarks === undefined ? {} : { moreMarks }),
    ...(transactions === undefined ? {} : { transactions }),
    family,
    asOf,
    closure,
  };
}

function differenceBetween(planned: PlannedBackup, manifest: ManifestReport): string | undefined {
  const fields = ['backup', 'type', 'copyOnly', 'parent', 'base', 'chain'] as const;
  const field = fields.find((one) => planned[one] !== manifest[one]);
  if (field !== undefined) {
    return `its ${field} is ${manifest[field] ?? 'not set'} and not ${planned[field] ?? 'left out'}`;
  }
  if (planned.from !== undefined && planned.position !== manifest.position)
    return `its position is ${manifest.position} and not ${planned.position}, which is that of ${planned.from}`;
  return planned.start === undefined ? undefined : gapBefore(planned.start, manifest.start);
}

/** A log that begins after the archive point would leave a gap that nothing names. */
function gapBefore(planned: string, start: string | undefined): string | undefined {
  if (start !== undefined && comparePositions(start, planned) <= 0) return undefined;
  return `it begins at ${start ?? 'no position'} and not at ${planned}, so the log between would be missing`;
}

function refused(code: string, message: string): BackupCompletion {
  return { kind: 'refused', failure: { code, message, retryable: false } };
}
