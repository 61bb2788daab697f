import { filesDriver } from './files/files-driver.ts';
import { imageDriver } from './image/image-driver.ts';
import { postgresDriver } from './postgres/postgres-driver.ts';
import { DriverRegistry } from './port/driver-registry.ts';

export type * from './port/source-driver.ts';
export { DriverRegistry } from './port/driver-registry.ts';
export { HistoryLostError, type HistoryLost } from './port/history-lost-error.ts';
export { restorePartsWith } from './port/restore-parts-with.ts';
export { RestoreError, type RestoreErrorCode } from './port/restore-error.ts';
export { SourceError, type SourceErrorCode } from './port/source-error.ts';
export {
  compareTrees,
  compareWithBackup,
  type CompareOptions,
  type Difference,
  type TreeDifference,
} from './files/comparing/compare-trees.ts';
export { filesDriver } from './files/files-driver.ts';
export { filesSpec, type FilesSpec } from './files/files-spec.ts';
export { discardStaged } from './files/restoring/restore-files.ts';
export { collectionWithLog, fetchLogFile } from './postgres/spool/fetch-log-file.ts';
export { LogMemory } from './postgres/spool/log-memory.ts';
export { postgresDriver } from './postgres/postgres-driver.ts';
export { sweepScratch } from './postgres/scratch/leftovers.ts';
export { ScratchServer, type ScratchServerOptions } from './postgres/scratch/scratch-server.ts';
export { shownTarget } from './postgres/tables/target-server.ts';
export { formatLsn } from './postgres/wire/lsn.ts';
export { BaseBackup } from './postgres/wire/base-backup.ts';
export { ReplicationConnection } from './postgres/wire/connection.ts';
export { imageDriver } from './image/image-driver.ts';
export { imageSpec, type ImageSpec } from './image/image-spec.ts';
export { returnFreeMemory } from './system-calls/free-memory.ts';
export { isUnchanged } from './files/unchanged.ts';

/** The drivers that come with Catena. */
export const sourceDrivers = new DriverRegistry([filesDriver, imageDriver, postgresDriver]);
