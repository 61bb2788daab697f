import type { DefinitionKind, Specification } from '@catena/events';
import { Entity } from 'typeorm';
import { Count, Flag, Id, Instant, Json, OptionalText, Text } from './columns.ts';
import { VersionedRow } from './versioned-row.ts';

/** One YAML document; a deleted one keeps its row. */
@Entity({ name: 'definition' })
export class DefinitionRow extends VersionedRow {
  /** `<kind>-<name>`. */
  @Id() definition!: string;
  @Text() kind!: DefinitionKind;
  @Text() name!: string;
  @Text() uid!: string;
  @Count() generation!: number;
  @Json() labels!: Record<string, string>;
  @Json() spec!: Specification;
  @OptionalText() origin!: string | null;
  @Instant() appliedAt!: string;
  @Flag() deleted!: boolean;
}
