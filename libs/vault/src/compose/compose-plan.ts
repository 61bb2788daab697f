import type { VaultProgress } from '../port/backup-writer.ts';
import type { BackupName, WriteOptions } from '../write/backup-plan.ts';
import type { ComposingSpace } from './space-needed.ts';

/** What the plan of a run says about a full that is composed from what is in the repository. */
export interface ComposePlan {
  readonly backupId: string;
  readonly run: string;
  readonly attempt: number;
  /** Names the backup's folder; the run's first attempt decides. */
  readonly startedAt: Date;
  /** The data backup whose state the full will show. */
  readonly from: BackupName;
}

/** How to compose; every one has a default. */
export interface ComposeOptions extends Pick<
  WriteOptions,
  'compressionLevel' | 'packBytes' | 'unitBytes' | 'signal'
> {
  /** Told before anything is written. */
  readonly onSpace?: (space: ComposingSpace) => void;
  /** `bytesRead`: content gone through so far. Nothing is read from the source. */
  readonly onProgress?: (progress: VaultProgress) => void;
  /** Asked when everything is written, before the manifest is created; the composing fails with what it throws. */
  readonly beforeManifest?: () => Promise<void>;
}
