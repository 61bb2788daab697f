import type { Position } from '../position.ts';
import type { NeededBackup } from './availability.ts';
import type { ForkOrigin } from './fork-path.ts';
import type { RestorableBackup, RestoreRepository } from './restorable.ts';
import type { SoughtTarget } from './sought-in-logs.ts';

/** What a restore is to reach. `latest` is whatever is newest. */
export type RestoreTarget =
  | { readonly kind: 'latest' }
  /** ISO 8601, any offset. */
  | { readonly kind: 'at'; readonly at: string }
  | { readonly kind: 'position'; readonly position: Position }
  | SoughtTarget;

export interface RestorePlanOptions {
  readonly noLogs?: boolean | undefined;
  readonly noDifferentials?: boolean | undefined;
  readonly noCopyOnly?: boolean | undefined;
  /** Start from this backup. */
  readonly base?: string | undefined;
  /** Do not use these backups, nor what needs them. */
  readonly without?: readonly string[] | undefined;
  /** An interrupted restore stands here: the logs from there. */
  readonly from?: { readonly position: Position; readonly fork?: string } | undefined;
  /** The branch that is meant; default the one that owns the target. */
  readonly fork?: string | undefined;
  /** By fork, where it left its parent. */
  readonly forks?: ReadonlyMap<string, ForkOrigin> | undefined;
  readonly repositories?: readonly RestoreRepository[] | undefined;
}

/** A place in the source's history. */
export interface RestorePlace {
  readonly at: string | null;
  readonly position: Position;
}

/** One thing that is restored, in order: a data backup with its closure, then logs. */
export interface RestoreStep {
  readonly backup: string;
  readonly type: RestorableBackup['type'];
  readonly copyOnly: boolean;
  readonly repository: string;
  /** What is read, oldest first, the backup itself last. */
  readonly needs: readonly NeededBackup[];
  readonly bytes: number;
  readonly keyIds: readonly string[];
  readonly present: boolean;
  /** On the last log, when the restore ends inside it: an instant, a position, or a mark. */
  readonly stopAt?: string;
}

export interface RestorePlan {
  readonly reachesTarget: boolean;
  readonly lastReachable: RestorePlace | null;
  readonly gap: { readonly from: RestorePlace; readonly to: RestorePlace | null } | null;
  /** The times around the target that can be had. */
  readonly neighbours: { readonly before: string | null; readonly after: string | null };
  /** Where the mark lies that was asked for, when a log says it. */
  readonly markAt?: Position;
  readonly steps: readonly RestoreStep[];
  readonly bytes: number;
  readonly keyIds: readonly string[];
  readonly notes: readonly string[];
}
