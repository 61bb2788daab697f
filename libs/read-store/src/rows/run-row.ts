import type {
  Cadence,
  Failure,
  RunPlan,
  RunPriority,
  RunRequest,
  RunState,
  RunStatistics,
  RunWait,
  Warning,
} from '@catena/events';
import { Entity } from 'typeorm';
import { Count, Id, Instant, Json, OptionalInstant, OptionalJson, OptionalText, Text } from './columns.ts';
import { VersionedRow } from './versioned-row.ts';

/** One run. */
@Entity({ name: 'run' })
export class RunRow extends VersionedRow {
  @Id() run!: string;
  @Text() kind!: RunRequest['kind'];
  @Text() state!: RunState;
  @Json() request!: RunRequest;
  @OptionalText() source!: string | null;
  @Text() repository!: string;
  @OptionalText() schedule!: string | null;
  @OptionalText() scheduleUid!: string | null;
  @OptionalText() cadence!: Cadence | null;
  @OptionalInstant() nominal!: string | null;
  /** Who asked: `person:<name>` or `scheduler:<instance>`. */
  @Text() requestedBy!: string;
  @Instant() requestedAt!: string;
  /** Log sequence of its first event: runs in the order of the log. */
  @Count() requestedSequence!: number;
  @OptionalInstant() plannedAt!: string | null;
  /** When it was claimed for the first time. */
  @OptionalInstant() startedAt!: string | null;
  @OptionalInstant() finishedAt!: string | null;
  /** Number of the newest claim; 0 before the first. */
  @Count() attempt!: number;
  @OptionalText() mover!: string | null;
  /** The backup it made, restores or verifies. */
  @OptionalText() backup!: string | null;
  @OptionalJson() failure!: Failure | null;
  @OptionalInstant() retryAt!: string | null;
  @Json() warnings!: Warning[];
  @Count() warningCount!: number;
  @OptionalJson() statistics!: RunStatistics | null;
  @OptionalJson() detail!: Record<string, unknown> | null;
  @OptionalText() priority!: RunPriority | null;
  /** Why it is not planned yet. */
  @OptionalJson() waiting!: RunWait | null;
}

/** What a run was planned to be. Apart from the run, because it is large and hardly ever changes. */
@Entity({ name: 'run_plan' })
export class RunPlanRow extends VersionedRow {
  @Id() run!: string;
  @Json() plan!: RunPlan;
}
