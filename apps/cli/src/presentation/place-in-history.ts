import type { BackupView } from '@catena/events';
import { formatLsn } from '@catena/sources';

type Place = Pick<BackupView, 'family' | 'fork' | 'position' | 'start'>;

/**
 * Where a backup begins and ends in its source's own history, as the source spells it: `timeline 2, 0/1C00028–0/1C09FC0`.
 * Undefined for sources that have none.
 */
export function placeInHistory({ family, fork, position, start }: Place): string | undefined {
  if (!family.startsWith('postgres:')) return undefined;
  return stretchInHistory({ family, ...(fork === undefined ? {} : { fork }) }, start, position);
}

/** A stretch of a source's own history, as the source spells it. */
export function stretchInHistory(
  { family, fork }: Pick<BackupView, 'family' | 'fork'>,
  start: string | undefined,
  end: string,
): string {
  const spelled = family.startsWith('postgres:') ? (at: string) => formatLsn(BigInt(at)) : String;
  const timeline = fork === undefined ? '' : `timeline ${Number.parseInt(fork, 10)}, `;
  return `${timeline}${start === undefined ? '' : `${spelled(start)}–`}${spelled(end)}`;
}

/** What runs at the source, by name and version: `PostgreSQL 18.4`. Undefined where nothing was recorded. */
export function serverOf({
  family,
  driverDetails,
}: Pick<BackupView, 'family' | 'driverDetails'>): string | undefined {
  const version = driverDetails?.['serverVersion'];
  return family.startsWith('postgres:') && version !== undefined ? `PostgreSQL ${version}` : undefined;
}
