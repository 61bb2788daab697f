import { domainEvent, type AnyDomainEvent } from '@catena/events';
import { parentsOf } from './backup-planned.ts';
import type { KnownBackup, KnownCollection } from './world.ts';

/** Sizes and times of a backup, made up. */
export interface Figures {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly files: number;
  readonly bytes: number;
  readonly bytesAdded: number;
  readonly warningCount: number;
}

/** What makes a backup known: with its run, or found in a repository. */
export function backupMade(
  how: 'backup.completed' | 'backup.found',
  collection: KnownCollection,
  made: KnownBackup,
  figures: Figures,
): AnyDomainEvent[] {
  const lineage = {
    ...{ run: made.run, backup: made.backup, type: made.type, copyOnly: made.copyOnly, chain: made.chain },
    ...parentsOf(made),
  };
  const family = `files:${collection.source.name}`;
  const { position, asOf } = made;
  const closure = [...made.closure];
  return [
    domainEvent(how, made.backup, {
      ...lineage,
      ...placeOf(collection),
      ...figures,
      ...{ collection: collection.id, family, position, asOf, closure },
      manifest: {
        name: `${collection.source.name}/${made.backup}/manifest`,
        hash: `sha256:${made.backup.repeat(3)}`,
      },
      keyIds: [`key-${collection.repository.name}`],
    }),
    domainEvent('collection.backup-completed', collection.id, {
      ...lineage,
      position,
      family,
      asOf,
      closure,
    }),
  ];
}

export function placeOf({ source, repository }: KnownCollection) {
  return {
    source: source.name,
    sourceUid: source.snapshot.uid,
    repository: repository.name,
    repositoryUid: repository.snapshot.uid,
  };
}
