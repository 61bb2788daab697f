import type { Position } from '../position.ts';
import type { HistoryTime } from './history-clock.ts';

/** One backup set of a SQL Server history; stripes and mirrors are one. What a history does not say is undefined. */
export interface HistorySet {
  readonly id: string;
  /** What a differential calls its base; lower case. */
  readonly guid: string | undefined;
  /** Number of its first row in the file, from 1: for messages about sets without an id. */
  readonly row: number;
  readonly database: string;
  readonly server: string | undefined;
  readonly availabilityGroup: string | undefined;
  readonly type: 'full' | 'differential' | 'log';
  readonly copyOnly: boolean;
  readonly damaged: boolean;
  /** Taken by a snapshot of the volume: it moved the base, and RESTORE cannot read it. */
  readonly snapshot: boolean;
  readonly checksums: boolean | undefined;
  /** Holds bulk changes: a restore cannot stop inside it. */
  readonly bulkLogged: boolean;
  readonly start: HistoryTime | undefined;
  readonly finish: HistoryTime | undefined;
  readonly firstLsn: Position | undefined;
  readonly lastLsn: Position | undefined;
  readonly checkpointLsn: Position | undefined;
  readonly databaseBackupLsn: Position | undefined;
  readonly differentialBaseLsn: Position | undefined;
  readonly differentialBaseGuid: string | undefined;
  readonly firstFork: string | undefined;
  readonly lastFork: string | undefined;
  readonly forkPointLsn: Position | undefined;
  readonly family: string | undefined;
  /** Which set on the device, from 1. */
  readonly position: number | undefined;
  readonly files: readonly string[];
}

/** Where a restore of a data backup stands: the next log must start at or before it. */
export function endOf(set: HistorySet): Position | undefined {
  return set.lastLsn ?? set.checkpointLsn ?? set.firstLsn;
}
