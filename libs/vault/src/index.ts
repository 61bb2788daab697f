export type * from './port/entry.ts';
export * from './port/path-order.ts';
export type * from './port/backup-writer.ts';
export * from './port/backup-reader.ts';
export type * from './port/manifest.ts';
export type { ContentPlan, LeasedPlan } from './read/planned/content-plan.ts';
export type * from './port/object-store.ts';
export * from './crash-point.ts';
export * from './codec/readable-bytes.ts';
export { globBeginnings, globMatcher, globOfPath, isGlob } from './read/glob.ts';
export * from './browse/diff-backups.ts';
export * from './browse/entry-filter.ts';
export * from './error/damaged-object-error.ts';
export * from './error/object-missing-error.ts';
export * from './error/store-error.ts';
export * from './error/repository-error.ts';
export * from './error/key-error.ts';
export * from './error/prune-error.ts';
export * from './error/sweep-error.ts';
export * from './error/writer-error.ts';
export type { ExternalKey, ScryptCost, UnlockKey } from './key/unlock-key.ts';
export { newKeyFile, parseKeyFile, parseRecoveryKey } from './key/unlock-key.ts';
export {
  generateKeyFile,
  KeyNotReadableError,
  readKey,
  type KeyPlace,
  type SecretPlace,
} from './key/key-place.ts';
export type { DataKeyReport, KeyReport } from './key/key-report.ts';
export type { SlotKey } from './key/keyring.ts';
export type { KeyringDocument, KeyringSlot } from './key/keyring-document.ts';
export { FsStore } from './store/fs-store.ts';
export { openStore } from './store/open-store.ts';
export type { ReadOptions } from './read/read-options.ts';
export { OwnThread } from './workers/own-thread.ts';
export type { TaskRunner } from './workers/task.ts';
export { defaultWorkers, WorkerPool } from './workers/worker-pool.ts';
export { workerProgram } from './workers/worker-thread.ts';
export { RateLimiter, type ByteRate, type LimiterClock } from './limit/rate-limiter.ts';
export { chooseCut } from './cut/choose-cut.ts';
export type { BackupName, BackupPlan, WriteOptions } from './write/backup-plan.ts';
export { WritingReserve } from './write/writing-reserve.ts';
export type { ComposeOptions, ComposePlan } from './compose/compose-plan.ts';
export { NoSpaceToComposeError, type ComposingSpace } from './compose/space-needed.ts';
export type { CondemnedBackup, PruneOptions, PruneReport } from './prune/prune-options.ts';
export type { Leftover, RunStanding, SweepOptions, SweepReport } from './sweep/sweep-options.ts';
export { Collection } from './repository/collection.ts';
export { ExportedLogs, type LogExport } from './repository/exported-logs.ts';
export type { FoundBackup, UnreadableBackup } from './repository/backup-finder.ts';
export type {
  LatestDocument,
  OwnerDocument,
  RepositoryDocument,
  VerificationDocument,
} from './repository/documents.ts';
export {
  initialiseRepository,
  openRepository,
  Repository,
  type InitialiseOptions,
  type OpenOptions,
} from './repository/repository.ts';
export type { VerifyDepth, VerifyOptions, VerifyProgress, VerifyReport } from './verify/verify-collection.ts';
