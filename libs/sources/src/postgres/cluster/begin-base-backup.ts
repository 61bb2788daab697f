/** How a data backup begins at the server: what is held for it, and how what changed is to be found out. */
import { randomBytes } from 'node:crypto';
import { CatenaError } from '@catena/events';
import { BaseBackup, type BaseBackupOptions } from '../wire/base-backup.ts';
import type { ReplicationConnection } from '../wire/connection.ts';
import { createPhysicalSlot } from '../wire/slots.ts';
import type { ServerSettings } from '../wire/system.ts';
import { uploadManifest } from '../wire/upload-manifest.ts';

/** Since then a server can say what changed. */
const TRACKS_CHANGES_SINCE = 17;

/** How what changed was found out. */
export type Method = 'everything' | 'serverTracking' | 'comparison';

export interface BegunBackup {
  readonly backup: BaseBackup;
  readonly method: Method;
}

type Warn = (code: string, message: string) => void;

/** So that no checkpoint throws away log this backup still has to give. Gone with the connection, whatever happens. */
export async function holdWhileItRuns(connection: ReplicationConnection, warn: Warn): Promise<void> {
  const name = `catena_backup_${randomBytes(6).toString('hex')}`;
  try {
    await createPhysicalSlot(connection, name, { temporary: true });
  } catch (error) {
    if (!(error instanceof CatenaError) || error.details?.['sqlState'] === undefined) throw error;
    warn(
      'postgres.logNotHeld',
      `The server gave no slot for the time of the backup (${String(error.details['said'])}): should it throw away log that is still needed, the backup fails.`,
    );
  }
}

/** `parent` gives the manifest of the backup whose changes are wanted; undefined when there is none. */
export async function beginBaseBackup(
  connection: ReplicationConnection,
  { major }: ServerSettings,
  options: BaseBackupOptions,
  { parent, warn }: { parent: (() => AsyncIterable<Uint8Array>) | undefined; warn: Warn },
): Promise<BegunBackup> {
  if (parent === undefined)
    return { backup: await BaseBackup.begin(connection, options), method: 'everything' };
  if (major >= TRACKS_CHANGES_SINCE) {
    try {
      await uploadManifest(connection, parent());
      const backup = await BaseBackup.begin(connection, { ...options, incremental: true });
      return { backup, method: 'serverTracking' };
    } catch (error) {
      const said = error instanceof CatenaError ? error.details?.['said'] : undefined;
      if (typeof said !== 'string') throw error;
      warn(
        'postgres.changesCompared',
        `The server cannot say what changed since the parent (${said}), so everything was read and compared with it.`,
      );
    }
  }
  return { backup: await BaseBackup.begin(connection, options), method: 'comparison' };
}
