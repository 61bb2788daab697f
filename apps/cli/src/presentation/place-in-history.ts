import type { BackupView } from '@catena/events';
import { formatLsn } from '@catena/sources';

/**
 * Where a backup ends in its source's own history, as the source spells it: `timeline 2, 0/1C09FC0`. Undefined for
 * sources that have none.
 */
export function placeInHistory({
  family,
  fork,
  position,
}: Pick<BackupView, 'family' | 'fork' | 'position'>): string | undefined {
  if (!family.startsWith('postgres:')) return undefined;
  const timeline = fork === undefined ? '' : `timeline ${Number.parseInt(fork, 10)}, `;
  return `${timeline}${formatLsn(BigInt(position))}`;
}
