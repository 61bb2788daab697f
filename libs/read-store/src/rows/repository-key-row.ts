import { Entity } from 'typeorm';
import { Id, Instant, OptionalInstant, Text } from './columns.ts';
import { VersionedRow } from './versioned-row.ts';

/** A generated key; somebody must store it elsewhere. */
@Entity({ name: 'repository_key' })
export class RepositoryKeyRow extends VersionedRow {
  /** `<repository uid>/<key id>`. */
  @Id() key!: string;
  @Text() repository!: string;
  @Text() repositoryUid!: string;
  @Text() keyId!: string;
  @Text() path!: string;
  @Instant() generatedAt!: string;
  @OptionalInstant() exportedAt!: string | null;
}
