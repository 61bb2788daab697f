/** Whether a server could be started on what is to be restored: known before anything is written. */
import type { BackupReader } from '@catena/vault';
import type { RestoreOptions } from '../../port/source-driver.ts';
import { refuseWithoutPrograms } from '../scratch/programs-for.ts';
import { refuseClosedWay, type Account } from './open-way.ts';

export interface ServerToStart {
  readonly reader: BackupReader;
  /** Whom it runs as; undefined: as who restores. */
  readonly account: Account | undefined;
  /** What it must get to. */
  readonly places: readonly string[];
}

/** @throws RestoreError `restore.targetNotUsable`, EmbeddedError `embedded.postgres-not-found`, only where one is to be started. */
export async function refuseUnstartable(
  { reader, account, places }: ServerToStart,
  cluster: RestoreOptions['cluster'],
): Promise<void> {
  if (cluster?.start === undefined) return;
  refuseClosedWay(account, places);
  await refuseWithoutPrograms(reader, account, cluster.programs);
}
