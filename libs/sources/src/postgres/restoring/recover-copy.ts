/** Makes a restored data folder ready to recover to the place that was asked for, and says where that is. */
import { chown, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BackupReader } from '@catena/vault';
import { timelineOf } from '../cluster/fork.ts';
import { withSettingsOfLog } from '../cluster/recovery-settings.ts';
import type { ExpectedEnd } from '../scratch/expected-end.ts';
import { isStopLookedFor, stopSearchFor, type RecoveryWanted } from './look-ahead.ts';
import { prepareCopy } from './prepare-copy.ts';
import { toEndOfBackup, toStopInLog } from './recovery-target.ts';
import { LogOnDisk } from './readable-log.ts';
import { writeLogs } from './roll-logs.ts';
import { searchLog } from './search-log.ts';
import type { FoundStop } from './stop-search.ts';
import { refuseTablespacesInUse } from './tablespaces-in-log.ts';

export interface CopyToRecover {
  readonly reader: BackupReader;
  /** Files of the backup. */
  readonly paths: ReadonlySet<string>;
  /** By number, where each lies. */
  readonly tablespaces: ReadonlyMap<string, string>;
  readonly options: RecoveryWanted;
  /** What the log holds, when it was looked through before it was written. */
  readonly searched?: FoundStop;
}

export interface RecoverableCopy {
  readonly rolled: { readonly files: number; readonly bytes: number };
  readonly expected: ExpectedEnd;
  readonly settingsNotInForce: readonly string[];
}

/**
 * @param folder the data folder, before anybody started a server on it
 * @throws RestoreError `restore.stopNotFound`, `restore.stopBeforeBackup`, `restore.tablespaceInLog`.
 */
export async function makeRecoverable(folder: string, copy: CopyToRecover): Promise<RecoverableCopy> {
  const { reader, options, paths, tablespaces } = copy;
  const { logs = [], stop, signal } = options;
  const { position, driverDetails = {} } = reader.manifest;
  const end = BigInt(position?.end ?? '0');
  const owner = await stat(path.join(folder, 'PG_VERSION'));
  const rolled = await writeLogs(folder, logs, owner, signal);
  const searched =
    copy.searched ??
    (await searchLog(new LogOnDisk(folder), stopSearchFor(reader.manifest, options), signal));
  await refuseTablespacesInUse(searched.tablespaces, owner.uid);
  const found = isStopLookedFor(options) ? searched : undefined;
  const standby = driverDetails['standby'] === true;
  const fork = logs.at(-1)?.manifest.position?.fork;
  const recovery =
    logs.length === 0
      ? toEndOfBackup(standby)
      : toStopInLog(fork === undefined ? undefined : timelineOf(fork), stop, found);
  const details = withSettingsOfLog(driverDetails, searched.settings);
  const plan = { paths, tablespaces, driverDetails: details, recovery };
  const settingsNotInForce = await prepareCopy(folder, plan);
  await giveToOwner(folder);
  return { rolled, settingsNotInForce, expected: expectedEnd(end, found, logs.length > 0 || standby) };
}

/** Without a log a copy ends where its backup does; that of a standby at the end of what came with it. */
function expectedEnd(end: bigint, found: FoundStop | undefined, hasMore: boolean): ExpectedEnd {
  const position = found?.position;
  if (position !== undefined && position >= end) return { position, isExact: true };
  return { position: end, isExact: !hasMore };
}

/** The files that were added belong to whom the rest belongs to: the server refuses to run as anybody else. */
async function giveToOwner(folder: string): Promise<void> {
  const { uid, gid } = await stat(path.join(folder, 'PG_VERSION'));
  if (uid === process.geteuid?.()) return;
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isFile()) await chown(path.join(folder, entry.name), uid, gid);
}
