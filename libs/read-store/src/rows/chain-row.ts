import { Entity } from 'typeorm';
import { Flag, Id, Instant, Text } from './columns.ts';
import { VersionedRow } from './versioned-row.ts';

/** One chain; how many backups it has and how large they are is asked of the backups, which name it. */
@Entity({ name: 'chain' })
export class ChainRow extends VersionedRow {
  /** The id of its full. */
  @Id() chain!: string;
  @Text() collection!: string;
  @Text() source!: string;
  @Text() sourceUid!: string;
  @Text() repository!: string;
  @Text() repositoryUid!: string;
  @Flag() copyOnly!: boolean;
  /** The lowest position in it: where it starts. */
  @Text() startPosition!: string;
  /** As-of time of its oldest backup. */
  @Instant() oldestAsOf!: string;
  /** As-of time of its newest backup. */
  @Instant() newestAsOf!: string;
}
