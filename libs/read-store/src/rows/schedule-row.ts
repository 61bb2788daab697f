import type { EventData } from '@catena/events';
import { Entity } from 'typeorm';
import { Flag, Id, Json, OptionalJson, OptionalText, Text } from './columns.ts';
import { VersionedRow } from './versioned-row.ts';

/** The last due time that became no run. */
export type ScheduleSkip = Pick<
  EventData<'schedule.skipped'>,
  'cadence' | 'nominal' | 'actual' | 'reason' | 'by' | 'until' | 'missed'
>;

/** The state of one schedule, by its uid; gone when its definition is. */
@Entity({ name: 'schedule' })
export class ScheduleRow extends VersionedRow {
  @Id() uid!: string;
  @Text() name!: string;
  @Flag() paused!: boolean;
  @OptionalText() pauseReason!: string | null;
  /** Nominal instant by cadence. */
  @Json() lastFired!: Record<string, string>;
  @OptionalText() lastRun!: string | null;
  @OptionalJson() lastSkip!: ScheduleSkip | null;
}
