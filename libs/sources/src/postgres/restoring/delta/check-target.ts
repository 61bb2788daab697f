/** Whether a restore may make what is at the target what the backup holds. */
import { lstat, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Manifest } from '@catena/vault';
import { RestoreError } from '../../../port/restore-error.ts';

/** In a data folder while it is neither what it was nor what it is to be. It holds the system identifier. */
export const UNFINISHED = 'catena-delta.unfinished';
export const CONTROL_FILE = path.join('global', 'pg_control');

/** @throws RestoreError `restore.serverRunning`, `restore.otherCluster`, `restore.targetNotUsable`. */
export async function checkDeltaTarget(target: string, { driverDetails, backup }: Manifest): Promise<string> {
  const wanted = driverDetails?.['systemIdentifier'];
  if (typeof wanted !== 'string')
    throw notUsable(target, `the backup ${backup} does not say of which cluster it is`);
  const status = await lstat(target).catch(() => undefined);
  if (status?.isDirectory() !== true) throw notUsable(target, 'there is no data folder');
  if (await isThere(path.join(target, 'postmaster.pid')))
    throw new RestoreError(
      'restore.serverRunning',
      `A server runs on '${target}', or was killed: it has a postmaster.pid.`,
      { remedy: 'Stop the server; remove that file if none runs.', details: { target } },
    );
  const found = await identifierOf(target);
  if (found === undefined) throw notUsable(target, 'it is not the data folder of a cluster');
  if (found !== wanted)
    throw new RestoreError(
      'restore.otherCluster',
      `The data folder '${target}' is of another cluster (${found}) than the backup ${backup} (${wanted}).`,
      {
        remedy: 'Name the data folder of that cluster, or restore to a new folder without --delta.',
        details: { target },
      },
    );
  const log = await lstat(path.join(target, 'pg_wal')).catch(() => undefined);
  if (log?.isSymbolicLink() === true) throw notUsable(target, 'its pg_wal is a link to another place');
  return wanted;
}

/** The first 8 bytes of its control file; of one whose delta restore was interrupted what is noted in it. */
async function identifierOf(target: string): Promise<string | undefined> {
  const control = await open(path.join(target, CONTROL_FILE), 'r').catch(() => undefined);
  if (control === undefined)
    return (await readFile(path.join(target, UNFINISHED), 'utf8').catch(() => undefined))?.trim();
  try {
    const { buffer, bytesRead } = await control.read(Buffer.alloc(8), 0, 8, 0);
    return bytesRead === 8 ? buffer.readBigUInt64LE(0).toString() : undefined;
  } finally {
    await control.close();
  }
}

async function isThere(place: string): Promise<boolean> {
  return (await lstat(place).catch(() => undefined)) !== undefined;
}

function notUsable(target: string, why: string): RestoreError {
  return new RestoreError('restore.targetNotUsable', `'${target}' cannot be restored over: ${why}.`, {
    remedy: 'Restore to a new folder without --delta.',
    details: { target },
  });
}
