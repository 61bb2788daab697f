/** What a kind of source must be able to do. A driver is one folder that exports one object of this type. */
import type { ClusterRestore, DatabaseRestore, LogStream, RestoreStop } from '@catena/events';
import type { BackupReader, BackupSummary, BackupWriter, ByteRate, Manifest } from '@catena/vault';

export interface DriverCapabilities {
  /** Whether the source keeps a log of its own that can be backed up. */
  readonly givesLogs: boolean;
  /** Whether it can still be read as it was at a past time. */
  readonly givesPast: boolean;
}

/** What is done so far; `total…` only when it is known or could be estimated. */
export interface DriverProgress {
  readonly files: number;
  readonly bytes: number;
  readonly totalFiles?: number;
  readonly totalBytes?: number;
  /** What is being worked on, for people. */
  readonly current?: string;
}

/** What needs a person before it goes wrong. */
export interface DriverAlarm {
  /** Stable, as that of a warning. */
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export type ReportProgress = (progress: DriverProgress) => void;

export interface SourceTotals {
  readonly files: number;
  readonly bytes: number;
}

export interface CheckContext {
  /** Folder of the repository, when it is one on this machine. */
  readonly repositoryFolder?: string;
}

export interface BackupOptions {
  /** Aborting ends the backup with the signal's reason; the writer is left for the caller to abandon. */
  readonly signal?: AbortSignal;
  /** Called at most ten times a second, and once at the end. */
  readonly progress?: ReportProgress;
  /** What is expected, for the progress; the statistics of the parent are a good guess. Else it is estimated. */
  readonly expected?: SourceTotals;
  /** End of the backup this one depends on; the new end is never before it. */
  readonly previousEnd?: string;
  /** Names what is kept for this source in this repository, for instance what holds the log at the source. */
  readonly collection?: string;
  /** It is taken apart from the chain and moves nothing at the source (rules.md 1.1). */
  readonly copyOnly?: boolean;
}

/** What a backup of a source's own log must cover. Positions are decimal texts, as in events. */
export interface LogBackupOptions extends BackupOptions {
  readonly collection: string;
  /** Where the last regular log ended: this one begins there, or before. */
  readonly start: string;
  /** The branch the collection knows the source to be on. */
  readonly fork?: string;
  /** It follows the source until it is sealed, instead of ending where the source is now. */
  readonly stream?: LogStream;
  /** Called while the work goes on, also when the work stands still. */
  readonly alarm?: (alarm: DriverAlarm) => void;
  /** Covers the same and moves nothing at the source (rules.md 1.3). */
  readonly copyOnly: boolean;
}

export interface BackupOutcome {
  readonly files: number;
  /** Content of all files, as a restore would write it. */
  readonly bytes: number;
  readonly filesRead: number;
  readonly bytesRead: number;
  /** Entries of any kind that are as the parent had them. */
  readonly unchanged: number;
  readonly warnings: number;
  /** What the driver has to say for the manifest; pass it to `writer.finish`. */
  readonly summary: BackupSummary;
}

/** A log backup: there may be thousands, so each is opened when its turn comes, and closed when it is over. */
export interface LogToRoll {
  readonly manifest: Manifest;
  open(): Promise<BackupReader>;
}

export interface RestoreOptions {
  /** Names the attempt's staging folder: the same run continues where an earlier attempt ended. */
  readonly run: string;
  /** Log backups to be rolled on top, in order; only for a driver with `log`. */
  readonly logs?: readonly LogToRoll[];
  /** Where to stop in the source's history; absent: where the data backup, or the last log, ends. */
  readonly stop?: RestoreStop;
  /** Only what matches one of these (see `EntrySelection.globs`) and what is below it, with the folders it is in. */
  readonly globs?: readonly string[];
  /** Whether things that exist may be replaced. What is not in the backup is never touched. */
  readonly overwrite?: boolean;
  /**
   * Makes what is at the target what the backup holds: what differs is rewritten in place, what is not in the backup goes.
   * Only of a cluster, over a data folder of the same one.
   */
  readonly delta?: boolean;
  /** Only of a driver whose sources are database clusters. */
  readonly cluster?: ClusterRestore;
  /** Whose a thing becomes: the account of the same name (by id where there is none), or always the id. */
  readonly ownership?: 'name' | 'id';
  /**
   * Whether what is staged is removed when the restore fails or is cancelled (the default), or left for a next attempt
   * of the same run. After a crash it is always there and used. A function is asked when it comes to that, because
   * what was staged may by then be in use by a next attempt.
   */
  readonly onFailure?: 'remove' | 'keep' | ((error: unknown) => Promise<'remove' | 'keep'>);
  /** How fast the target may be written, and how many threads may work at it; default one for each core. */
  readonly limits?: { readonly write?: ByteRate; readonly workers?: number };
  /** Asked when everything is staged, before anything gets its final name; the restore fails with what it throws. */
  readonly beforeVisible?: () => Promise<void>;
  readonly signal?: AbortSignal;
  readonly progress?: ReportProgress;
}

export interface RestoreWarning {
  readonly path: Uint8Array;
  readonly code: string;
  readonly message: string;
}

/** Where the recovery of a restored cluster ends. Positions as the server spells them. */
export interface RestoredCluster {
  /** End of the last log record that is applied; absent when only the server can tell. */
  readonly planned?: string;
  /** Settings of the source that do not act in the copy. */
  readonly settingsNotInForce: readonly string[];
  /** What the copy said when it was started. */
  readonly reached?: {
    readonly position: string;
    /** ISO 8601 with microseconds; absent when the log had no transaction. */
    readonly lastTransactionAt?: string;
    readonly timeline: number;
    readonly serverVersion: string;
    readonly databases: readonly string[];
  };
  /** The copy that was left running: host is the folder of its socket. */
  readonly server?: {
    readonly pid: number;
    readonly host: string;
    readonly port: number;
    readonly log: string;
  };
}

export interface RestoreOutcome {
  readonly files: number;
  readonly bytes: number;
  /** Content that was really written: not what was there already. */
  readonly bytesWritten: number;
  /** Files that were already right and were not rewritten. */
  readonly unchanged: number;
  /** The first of them, at most 1000. */
  readonly warnings: readonly RestoreWarning[];
  readonly warningCount: number;
  /** Of a cluster. */
  readonly cluster?: RestoredCluster;
  /** Of a restore of parts: what was brought, by its name there. `files` counts them. */
  readonly tables?: readonly { readonly name: string; readonly rows: number }[];
}

/** What a driver does whose sources keep a log (`capabilities.givesLogs`). */
export interface LogDriver {
  /**
   * Adds the log from `start` to where the source is now; `summary.position` says what it covers. The source keeps what
   * it has until `release`.
   * @throws HistoryLostError when the source no longer has the log since `start`.
   */
  backup(spec: unknown, writer: BackupWriter, options: LogBackupOptions): Promise<BackupOutcome>;

  /** The catalog has recorded the log up to `position`: the source may let go of it. Harmless to repeat. */
  release(
    spec: unknown,
    held: { readonly collection: string; readonly position: string; readonly fork?: string },
  ): Promise<void>;
}

/**
 * `spec` is what a definition says under the driver's name; each method checks it and throws `SourceError` with the
 * code `source.specInvalid`.
 */
export interface SourceDriver {
  /** As in `spec.driver` of a definition. */
  readonly name: string;
  readonly capabilities: DriverCapabilities;

  /** Of a driver whose sources keep a log. */
  readonly log?: LogDriver;

  /** Resolves when a backup can begin; throws a `SourceError` that names what is wrong and how to mend it. */
  check(spec: unknown, context?: CheckContext): Promise<void>;

  /** What makes two sources the same thing, whatever they are called: equal text, same thing. */
  family(spec: unknown): Promise<string>;

  /** How much there is, without reading content. */
  estimate(spec: unknown, options?: { readonly signal?: AbortSignal }): Promise<SourceTotals>;

  /**
   * Adds everything to the writer; the caller finishes or abandons it. What cannot be read is a warning on the
   * writer and never ends the backup; an error of the writer does.
   */
  backup(spec: unknown, writer: BackupWriter, options?: BackupOptions): Promise<BackupOutcome>;

  /**
   * Writes what a backup holds to a target (for files: the path of the folder that becomes the root). Nothing appears
   * there under its final name before all of it is complete and verified.
   */
  restore(reader: BackupReader, target: string, options: RestoreOptions): Promise<RestoreOutcome>;

  /**
   * Brings a database or tables that a backup holds into a server that lives; for a driver whose sources hold such. All of
   * it is there in the end, or nothing.
   */
  restoreParts?(
    reader: BackupReader,
    parts: DatabaseRestore,
    options: RestoreOptions,
  ): Promise<RestoreOutcome>;
}
