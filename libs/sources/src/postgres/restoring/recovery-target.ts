/** Tells a restored copy how its recovery goes and where it ends. */
import type { RestoreStop } from '@catena/events';
import { formatLsn } from '../wire/lsn.ts';
import { microsecondsOf, settingOfMoment } from './moment.ts';
import type { FoundStop } from './stop-search.ts';

/** Recovers with the log that the backup carries, to the moment from which it is consistent. */
const TO_END_OF_BACKUP: readonly string[] = [
  "restore_command = 'false'",
  "recovery_target = 'immediate'",
  "recovery_target_timeline = 'current'",
  "recovery_target_action = 'promote'",
];

/**
 * The server sees that a target was reached only by the record after it. A primary always writes one (it changes to the
 * next segment); a quiet standby has none, so its backup is recovered to the end of the log that came with it.
 */
export function toEndOfBackup(standby: boolean): readonly string[] {
  if (!standby) return TO_END_OF_BACKUP;
  return TO_END_OF_BACKUP.filter((line) => !line.startsWith('recovery_target ='));
}

/** @param timeline the newest one that the log is of; undefined when that is not known */
export function toStopInLog(
  timeline: number | undefined,
  stop: RestoreStop | undefined,
  found: FoundStop | undefined,
): readonly string[] {
  return [
    "restore_command = 'false'",
    `recovery_target_timeline = '${timeline ?? 'latest'}'`,
    // At the end of the log there is no record by which the server would see that it is there: it would fail.
    ...(stop === undefined || found?.isInside !== true ? [] : targetLines(stop, found)),
    "recovery_target_action = 'promote'",
  ];
}

function targetLines(stop: RestoreStop, { position, hasNamesake }: FoundStop): string[] {
  if ('at' in stop) return [`recovery_target_time = '${settingOfMoment(microsecondsOf(stop.at))}'`];
  if ('position' in stop) return beforePosition(BigInt(stop.position));
  if ('transaction' in stop) return [`recovery_target_xid = '${BigInt(stop.transaction) % 0x100000000n}'`];
  if (hasNamesake && position !== undefined) return beforePosition(position);
  return [`recovery_target_name = '${stop.mark.replaceAll("'", "''")}'`];
}

/** What ends at the position or before it: with `inclusive`, the default, the record that begins there would be applied too. */
function beforePosition(position: bigint): string[] {
  return [`recovery_target_lsn = '${formatLsn(position)}'`, 'recovery_target_inclusive = off'];
}
