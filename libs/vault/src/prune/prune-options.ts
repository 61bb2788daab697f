/** A backup that is to be deleted: irrevocably condemned, so nothing new will ever refer to it. */
export interface CondemnedBackup {
  readonly backup: string;
  /** The run that made it; finds its folder when its manifest is gone already. */
  readonly run: string;
}

export interface PruneOptions {
  readonly backups: readonly CondemnedBackup[];
  /** The installation that asks; any but the owner of the repository is refused. */
  readonly installation: string;
  readonly signal?: AbortSignal;
  /** Asked before each backup is touched; throws when somebody else has taken over. */
  readonly assertHeld?: () => Promise<void>;
  readonly onProgress?: (done: { readonly objects: number; readonly bytes: number }) => void;
}

/** What came of a prune. */
export interface PruneReport {
  /** Backups of which nothing is left, also when an earlier attempt removed it. Bytes: of what this one removed. */
  readonly deleted: readonly { readonly backup: string; readonly bytes: number }[];
  /** Backups that were not touched, because a manifest that stays needs objects of them. */
  readonly needed: readonly { readonly backup: string; readonly by: readonly string[] }[];
  readonly objects: number;
  readonly bytes: number;
}
