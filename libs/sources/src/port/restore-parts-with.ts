import type { DatabaseRestore } from '@catena/events';
import type { BackupReader } from '@catena/vault';
import { RestoreError } from './restore-error.ts';
import type { RestoreOptions, RestoreOutcome, SourceDriver } from './source-driver.ts';

/** Restores parts with a driver that can. @throws RestoreError `restore.targetNotUsable` when it cannot. */
export async function restorePartsWith(
  driver: SourceDriver,
  reader: BackupReader,
  parts: DatabaseRestore,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  if (driver.restoreParts !== undefined) return await driver.restoreParts(reader, parts, options);
  throw new RestoreError(
    'restore.targetNotUsable',
    `${reader.manifest.source.name} is no database cluster (its driver is ${driver.name}), so nothing of it goes into a database.`,
    { remedy: 'Restore it to a folder with --to, or name a source with the driver postgres.' },
  );
}
