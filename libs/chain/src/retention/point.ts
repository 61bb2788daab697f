import type { BackupType } from '@catena/events';
import type { Position } from '../position.ts';
import type { ZoneCalendar } from './zone-calendar.ts';

/** A backup as far as retention is concerned. */
export interface RetentionPoint {
  readonly id: string;
  /** The time it shows (as-of), milliseconds since 1970 UTC; may have a fraction. */
  readonly time: number;
  readonly type: BackupType;
  readonly copyOnly: boolean;
  /** Taken by hand, or by a schedule that is gone. */
  readonly manual: boolean;
  readonly tags: readonly string[];
  /** What holds it whatever the policy says: a pin, a lease, a lock, a run that needs it. */
  readonly holds: readonly string[];
  /** Damaged and incomplete ones never count. */
  readonly usable: boolean;
  /** The backups whose objects it needs, itself not among them. */
  readonly needs: readonly string[];
  /** Points of one group are counted together: one collection, or one host and paths. */
  readonly group: string;
  readonly bytes: number | undefined;
  /** Where in the source's history it ends, and a log begins, if that is known. */
  readonly place?: {
    readonly family: string;
    readonly position: Position;
    readonly fork?: string | undefined;
    readonly start?: Position | undefined;
  };
}

/** A point with its place on the calendar. */
export interface LocatedPoint extends RetentionPoint {
  /** Days since 1970-01-01 in the zone. */
  readonly day: number;
  /** Hours since then on the zone's clocks. */
  readonly hour: number;
}

export function locate(point: RetentionPoint, calendar: ZoneCalendar): LocatedPoint {
  const { hour } = calendar.localTime(point.time);
  const day = calendar.dayOf(point.time);
  return { ...point, day, hour: day * 24 + hour };
}
