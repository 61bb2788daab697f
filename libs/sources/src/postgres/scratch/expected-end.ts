/** Where recovery must have ended, compared with where it did. */
import { RestoreError } from '../../port/restore-error.ts';
import { formatLsn } from '../wire/lsn.ts';
import type { ReachedPlace } from './reached-place.ts';

export interface ExpectedEnd {
  /** End of the last record that is applied. */
  readonly position: bigint;
  /** False: or any place after it, because only the server can tell. */
  readonly isExact: boolean;
}

/**
 * A server that ran out of log promotes itself as if nothing were missing, and one that was told a place it has passed
 * stops later than asked: neither is an error to it.
 * @throws RestoreError `restore.reachedElsewhere`
 */
export function compareReached(folder: string, expected: ExpectedEnd, reached: ReachedPlace): void {
  const { position, isExact } = expected;
  const isThere = isExact ? reached.position === position : reached.position >= position;
  if (isThere && !reached.inRecovery) return;
  const planned = `${isExact ? '' : 'at least '}${formatLsn(position)}`;
  throw new RestoreError(
    'restore.reachedElsewhere',
    reached.inRecovery
      ? `The restored cluster in ${folder} still recovers, at ${formatLsn(reached.position)}; ${planned} was planned.`
      : `The restored cluster in ${folder} recovered to ${formatLsn(reached.position)}, and not to ${planned} as planned.`,
    {
      remedy:
        'Verify the backup and its logs (catena verify), and restore again, from another data backup (--backup) if there is one.',
      details: { folder, planned: formatLsn(position), reached: formatLsn(reached.position) },
    },
  );
}
