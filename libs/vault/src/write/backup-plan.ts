import { BackupRefusedError } from '../error/writer-error.ts';
import type { ByteRate } from '../limit/rate-limiter.ts';
import type { VaultProgress } from '../port/backup-writer.ts';
import type { CutMethod, Entry } from '../port/entry.ts';
import type { BackupType, Manifest, SourceIdentity } from '../port/manifest.ts';
import { folderOfDependent, folderOfFull } from '../repository/layout.ts';
import type { WritingReserve } from './writing-reserve.ts';

/** A backup that is there: its id, and where its manifest lies if the caller knows. */
export type BackupName =
  string | { readonly backupId: string; readonly name?: string; readonly hash?: string };

/** What the plan of a run says about the backup to be made. */
export interface BackupPlan {
  readonly backupId: string;
  readonly run: string;
  readonly attempt: number;
  readonly type: BackupType;
  readonly copyOnly?: boolean;
  readonly source: SourceIdentity;
  /** Names the backup's folder; the run's first attempt decides. */
  readonly startedAt: Date;
  /** The backup an incremental extends. */
  readonly parent?: BackupName;
  /** The full a differential is computed from. */
  readonly base?: BackupName;
}

/** How to write; every one has a default. */
export interface WriteOptions {
  /** zstd level; default 1. */
  readonly compressionLevel?: number;
  /**
   * Size at which a pack is closed; by default so that packs that are not durable yet, which is what an interrupted
   * attempt loses, are at most 64 MiB together.
   */
  readonly packBytes?: number;
  /** Blocks of earlier attempts that are held in memory at once, to be used again; default 150 000. */
  readonly leftoverBlocks?: number;
  /** Bytes that are compressed and sealed together; default 128 KiB. */
  readonly unitBytes?: number;
  /** Threads that read, hash, compress and seal; default one for each core. 0: none but the caller's. */
  readonly workers?: number;
  /** What is left by earlier backups of this process and to later ones; default: nothing. */
  readonly reserve?: WritingReserve;
  /** How fast the source may be read, and packs may be written. */
  readonly limits?: { readonly read?: ByteRate; readonly write?: ByteRate };
  /** How a file that is new to its chain is cut; default `chooseCut`. */
  readonly cut?: (file: Pick<Entry, 'path' | 'size'>) => CutMethod;
  readonly onProgress?: (progress: VaultProgress) => void;
  readonly signal?: AbortSignal;
}

/** Refuses a plan whose lineage does not fit its type. */
export function checkLineage(plan: BackupPlan, before: Manifest | undefined): void {
  const refuse = (rule: string, remedy: string): never => {
    throw new BackupRefusedError(plan.backupId, rule, remedy);
  };
  if (plan.type === 'full' || plan.type === 'log') {
    if (plan.parent !== undefined || plan.base !== undefined)
      refuse(`a ${plan.type} has neither parent nor base`, 'leave them out');
    return;
  }
  if (plan.copyOnly === true) refuse(`a copy-only backup cannot be ${plan.type}`, 'take a copy-only full');
  if (before === undefined)
    return refuse(`${plan.type} without what it is computed from`, 'take a full first');
  if (before.copyOnly)
    refuse(`${before.backup} is copy-only, which nothing is computed from`, 'take a full first');
  if (plan.type === 'differential' && before.type !== 'full')
    refuse(
      `${before.backup} is ${before.type}; a differential is computed from a full`,
      'name a full as base',
    );
  if (before.source.family !== plan.source.family)
    refuse(
      `${before.backup} is of another source (${before.source.family}, now ${plan.source.family})`,
      'start a new chain with a full',
    );
}

/** The folder of the full that a backup's chain begins with. */
function chainFolder(before: Manifest): string {
  return before.type === 'full' ? before.folder : before.folder.slice(0, before.folder.lastIndexOf('/'));
}

/** Where the backup goes if it begins at a time. */
export function folderAt(plan: BackupPlan, before: Manifest | undefined, time: Date): string {
  if (plan.type === 'log') return folderOfFull(time, 'log');
  if (before !== undefined) return folderOfDependent(chainFolder(before), time, plan.type);
  return folderOfFull(time, plan.copyOnly === true ? 'copyOnly' : 'conventional');
}
