import { tablespacesMadeIn, type BackupType, type BackupView, type TablespaceMade } from '@catena/events';
import type { Position } from '../position.ts';

/** A mark that somebody left in the source's log. */
export interface RestoreMark {
  readonly name: string;
  readonly at: string;
  readonly position: Position;
}

/** A backup in one repository, as the restore planner sees it. Copies of one point are one each. */
export interface RestorableBackup {
  readonly backup: string;
  readonly repository: string;
  readonly type: BackupType;
  readonly copyOnly: boolean;
  readonly family: string;
  /** The fork it ends on; absent for a source that has none. */
  readonly fork?: string | undefined;
  /** Of a log: where it begins. */
  readonly start?: Position | undefined;
  /** Where it ends. With family and fork the identity of what it restores to, whatever type its copy has. */
  readonly position: Position;
  /** The time it shows at its end. ISO 8601 in UTC with milliseconds, so that text order is time order. */
  readonly asOf: string;
  /** Backups of the same repository whose objects it needs, itself not among them. */
  readonly closure: readonly string[];
  /** What a restore reads of its own objects. */
  readonly bytes: number;
  readonly keyIds: readonly string[];
  readonly state: BackupView['state'];
  /** Of a log; undefined when it does not say which it holds. */
  readonly marks?: readonly RestoreMark[] | undefined;
  /** Of a log: how many marks lie in it before those; nothing when there are no others. */
  readonly moreMarks?: number | undefined;
  /** Of a log: ranges, ends included, that hold the numbers of the transactions that ended in it; undefined when it does not say. */
  readonly transactions?: readonly (readonly [first: number, last: number])[] | undefined;
  /** Tablespaces that a log creates, or the log that a data backup carries, as far as it says. */
  readonly tablespaces?: readonly TablespaceMade[] | undefined;
}

/** A repository as far as planning is concerned. */
export interface RestoreRepository {
  readonly name: string;
  /** Whether it can be read now; default true. */
  readonly reachable?: boolean | undefined;
  /** What reading a byte costs against other repositories; default 1. */
  readonly cost?: number | undefined;
  /** Ids of the keys at hand; absent when nobody asked. */
  readonly keysHeld?: ReadonlySet<string> | undefined;
}

/** A backup as queries answer it, for planning. */
export function restorableOf(view: BackupView): RestorableBackup {
  const { backup, repository, type, copyOnly, family, asOf, closure, keyIds, state } = view;
  const { start, position, fork, bytesAdded: bytes, marks, moreMarks, transactions } = view;
  return {
    backup,
    repository,
    type,
    copyOnly,
    family,
    fork,
    start,
    position,
    asOf,
    closure,
    bytes,
    keyIds,
    state,
    marks,
    moreMarks,
    transactions,
    tablespaces: tablespacesMadeIn(view.driverDetails),
  };
}
