import { Entity } from 'typeorm';
import { Count, InstantId } from './columns.ts';

/**
 * Where the running maximum of log time grew: from `sequence` on it is `recordedAt`. The log's clock may step back, its
 * running maximum cannot, so every time has one sequence.
 */
@Entity({ name: 'log_time' })
export class LogTimeRow {
  @InstantId() recordedAt!: string;
  @Count() sequence!: number;
}
