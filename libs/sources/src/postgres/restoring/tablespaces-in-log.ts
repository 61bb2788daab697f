/**
 * Tablespaces that the log creates. A server that replays it makes them at the very path they had at the source, whatever was mapped
 * elsewhere: on the source's own machine a copy would write over what the source uses.
 */
import { readdir, stat } from 'node:fs/promises';
import { RestoreError } from '../../port/restore-error.ts';
import type { MadeTablespace } from '../log/record-listener.ts';
import { formatLsn } from '../wire/lsn.ts';

/**
 * Refuses a recovery that would create a tablespace where there is no empty folder of the server's own.
 * @param uid of the account that the server runs as; undefined where there are none
 * @throws RestoreError `restore.tablespaceInLog`
 */
export async function refuseTablespacesInUse(
  made: readonly Pick<MadeTablespace, 'path' | 'start'>[],
  uid: number | undefined,
): Promise<void> {
  for (const { path, start } of made) {
    // Of a tablespace within the data folder itself (allow_in_place_tablespaces) there is no path.
    if (path === '') continue;
    const why = await whyNotFree(path, uid);
    if (why === undefined) continue;
    throw new RestoreError(
      'restore.tablespaceInLog',
      `The log that is to be replayed creates a tablespace at '${path}' (at ${formatLsn(start)}), and the server would make it at that very path: ${why}.`,
      {
        remedy: `Restore from a data backup that was taken after it, or stop before it with --position ${formatLsn(start)}, or restore where nothing uses that path and make an empty folder there that belongs to the server's account.`,
        details: { path, position: start.toString() },
      },
    );
  }
}

/** Whether an account could make a tablespace there. */
export async function isFree(path: string, uid: number | undefined): Promise<boolean> {
  return (await whyNotFree(path, uid)) === undefined;
}

async function whyNotFree(path: string, uid: number | undefined): Promise<string | undefined> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) return 'there is nothing';
  if (!status.isDirectory()) return 'there is no folder';
  if ((await readdir(path)).length > 0) return 'it is in use';
  return uid === undefined || status.uid === uid
    ? undefined
    : `the folder there does not belong to the account ${uid}`;
}
