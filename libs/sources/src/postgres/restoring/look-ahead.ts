/** Finds out before anything is written whether a restore would be refused for what the log holds. */
import { tablespacesMadeIn } from '@catena/events';
import type { BackupReader, Manifest } from '@catena/vault';
import type { RestoreOptions } from '../../port/source-driver.ts';
import { LogInRepository } from './log-in-repository.ts';
import { microsecondsOf } from './moment.ts';
import type { Account } from './open-way.ts';
import { searchLog } from './search-log.ts';
import { StopSearch, type FoundStop } from './stop-search.ts';
import { isFree, refuseTablespacesInUse } from './tablespaces-in-log.ts';

/** What decides how far a recovery goes. */
export type RecoveryWanted = Pick<RestoreOptions, 'logs' | 'stop' | 'signal' | 'cluster'>;

/** Whether it is to be known beforehand where recovery ends. */
export function isStopLookedFor({ logs = [], stop, cluster }: RecoveryWanted): boolean {
  return logs.length > 0 && (stop !== undefined || cluster?.start !== undefined);
}

export function stopSearchFor({ position, backup, asOf }: Manifest, wanted: RecoveryWanted): StopSearch {
  return new StopSearch(isStopLookedFor(wanted) ? wanted.stop : undefined, {
    backup,
    start: BigInt(position?.start ?? '0'),
    end: BigInt(position?.end ?? '0'),
    asOf: microsecondsOf(asOf),
  });
}

/**
 * Reads all of the log from the repository, as recovery will find it.
 * @throws RestoreError `restore.stopNotFound`, `restore.stopBeforeBackup`.
 */
export async function searchAhead(reader: BackupReader, wanted: RecoveryWanted): Promise<FoundStop> {
  const { logs = [], signal } = wanted;
  await using log = await LogInRepository.list(reader, logs, signal);
  return await searchLog(log, stopSearchFor(reader.manifest, wanted), signal);
}

/**
 * Refuses what the backups themselves say that their log creates, where it cannot be made; the log is read only when that
 * is so, for a restore may stop before it.
 * @throws RestoreError `restore.tablespaceInLog`, and those of `searchAhead`
 */
export async function refuseTablespacesKnown(
  reader: BackupReader,
  wanted: RecoveryWanted,
  account: Account | undefined,
): Promise<void> {
  const uid = account?.uid ?? process.geteuid?.();
  const manifests = [reader.manifest, ...(wanted.logs ?? []).map(({ manifest }) => manifest)];
  const known = manifests.flatMap(({ driverDetails }) => tablespacesMadeIn(driverDetails));
  for (const { path } of known) {
    if (await isFree(path, uid)) continue;
    const { tablespaces } = await searchAhead(reader, wanted);
    await refuseTablespacesInUse(tablespaces, uid);
    return;
  }
}
