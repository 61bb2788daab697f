import { Entity } from 'typeorm';
import { Text, ValidFrom } from './columns.ts';

/**
 * Where the running maximum of log time grew: from `sequence` on it is `recordedAt`. The log's clock may step back, its
 * running maximum cannot, so every time has one sequence.
 */
@Entity({ name: 'log_time' })
export class LogTimeRow {
  @ValidFrom() sequence!: number;
  /** UTC with nine decimals: fixed width, so text order is time order. */
  @Text() recordedAt!: string;
}
