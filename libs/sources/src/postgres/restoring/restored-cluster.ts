import type { RestoreOptions, RestoredCluster } from '../../port/source-driver.ts';
import { startCopy } from '../scratch/start-copy.ts';
import type { TriedCopy } from '../scratch/try-copy.ts';
import { formatLsn } from '../wire/lsn.ts';
import type { RecoverableCopy } from './recover-copy.ts';

/** What there is to say of a cluster that is in its place. It is started, if somebody is to work with it. */
export async function restoredCluster(
  target: string,
  { cluster, signal }: RestoreOptions,
  { expected, settingsNotInForce }: RecoverableCopy,
  tried: TriedCopy | undefined,
): Promise<RestoredCluster> {
  const { programs: bin, port, start } = cluster ?? {};
  const server =
    start === 'leaveRunning' ? await startCopy({ folder: target, bin, port, signal }) : undefined;
  return {
    ...(expected.isExact ? { planned: formatLsn(expected.position) } : {}),
    settingsNotInForce,
    ...(tried === undefined ? {} : { reached: reachedOf(tried) }),
    ...(server === undefined ? {} : { server }),
  };
}

function reachedOf(tried: TriedCopy): NonNullable<RestoredCluster['reached']> {
  const { position, lastTransactionAt, timeline, serverVersion, databases } = tried;
  return {
    position: formatLsn(position),
    ...(lastTransactionAt === undefined ? {} : { lastTransactionAt }),
    ...{ timeline, serverVersion, databases },
  };
}
