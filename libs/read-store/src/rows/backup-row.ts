import type { BackupType, BackupView } from '@catena/events';
import { Entity } from 'typeorm';
import {
  Count,
  Flag,
  Id,
  Instant,
  OptionalInstant,
  OptionalJson,
  OptionalCount,
  OptionalText,
  Text,
  Texts,
} from './columns.ts';
import { VersionedRow } from './versioned-row.ts';

/** One immutable artefact and what became of it. */
@Entity({ name: 'backup' })
export class BackupRow extends VersionedRow {
  @Id() backup!: string;
  @Text() run!: string;
  @Text() collection!: string;
  @Text() source!: string;
  @Text() sourceUid!: string;
  @Text() repository!: string;
  @Text() repositoryUid!: string;
  @Text() type!: BackupType;
  @Flag() copyOnly!: boolean;
  @OptionalText() parent!: string | null;
  @OptionalText() base!: string | null;
  @Text() chain!: string;
  /** Decimal text of any width. */
  @Text() position!: string;
  @Text() family!: string;
  /** The branch of the source it ends on. */
  @OptionalText() fork!: string | null;
  /** Where it begins: a log, or the log that a data backup carries. */
  @OptionalText() start!: string | null;
  /** Of a data backup: where logs begin that start with it. */
  @OptionalText() archivePoint!: string | null;
  @Instant() startedAt!: string;
  @Instant() asOf!: string;
  @Instant() finishedAt!: string;
  @Count() files!: number;
  @Count() bytes!: number;
  @Count() bytesAdded!: number;
  @Texts() closure!: string[];
  @Text() manifestName!: string;
  @Text() manifestHash!: string;
  @Texts() keyIds!: string[];
  @Count() warningCount!: number;
  @Text() state!: BackupView['state'];
  /** Of an expiry: the rule, in words. */
  @OptionalText() stateBecause!: string | null;
  /** Of an expiry: how long it can be undone. */
  @OptionalInstant() undoUntil!: string | null;
  /** No policy lets it go. */
  @Flag() pinned!: boolean;
  /** Learnt from the repository, not from a run. */
  @Flag() found!: boolean;
  @OptionalInstant() verifiedAt!: string | null;
  @OptionalText() verifiedDepth!: 'presence' | 'checksums' | null;
  /** What the driver of the source says of it. */
  @OptionalJson() driverDetails!: BackupView['driverDetails'] | null;
  /** Of a log: the marks in it, how many lie before those that are listed, and ranges of the transactions that ended in it. */
  @OptionalJson() marks!: BackupView['marks'] | null;
  @OptionalCount() moreMarks!: number | null;
  @OptionalJson() transactions!: BackupView['transactions'] | null;
}
