import type { RecoveryWindowView } from '@catena/events';
import { Entity } from 'typeorm';
import { Id, Instant, OptionalJson, OptionalText, Text } from './columns.ts';
import { VersionedRow } from './versioned-row.ts';

/** One source in one repository. */
@Entity({ name: 'collection' })
export class CollectionRow extends VersionedRow {
  @Id() collection!: string;
  @Text() source!: string;
  @Text() sourceUid!: string;
  @Text() repository!: string;
  @Text() repositoryUid!: string;
  @Instant() openedAt!: string;
  /** The newest conventional full, usable or not. */
  @OptionalText() newestFull!: string | null;
  @OptionalText() newestFullPosition!: string | null;
  /** The run that is making a data backup of it. */
  @OptionalText() plannedRun!: string | null;
  /** The log after its last log backup is gone, and no data backup has begun it again. */
  @OptionalJson() lostLog!: RecoveryWindowView['lost'] | null;
}
