/**
 * Settings that a server which replays another's log must have as large as that one: without them it refuses to become
 * readable, or stops in the middle (hot standby rules of PostgreSQL).
 */
import type { ReplicationConnection } from '../wire/connection.ts';
import { show } from '../wire/system.ts';

export const RECOVERY_SETTINGS = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
] as const;

export type RecoverySetting = (typeof RECOVERY_SETTINGS)[number];

/** As they are kept in the details of a backup: by name, behind `setting.`. */
export async function readRecoverySettings(
  connection: ReplicationConnection,
): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const name of RECOVERY_SETTINGS) found[`setting.${name}`] = Number(await show(connection, name));
  return found;
}

/**
 * Those of a backup, or what the log says that the server had later, where that is more.
 * @param details of the backup
 */
export function withSettingsOfLog(
  details: Readonly<Record<string, unknown>>,
  later: readonly Readonly<Record<RecoverySetting, number>>[],
): Record<string, unknown> {
  const all: Record<string, unknown> = { ...details };
  for (const name of RECOVERY_SETTINGS) {
    const known = details[`setting.${name}`];
    const values = later.map((one) => one[name]);
    if (values.length > 0)
      all[`setting.${name}`] = Math.max(...(typeof known === 'number' ? [known] : []), ...values);
  }
  return all;
}

/** The lines of a configuration that give a restored copy the same. */
export function recoverySettingLines(details: Readonly<Record<string, unknown>>): string[] {
  return RECOVERY_SETTINGS.flatMap((name) => {
    const value = details[`setting.${name}`];
    return typeof value === 'number' ? [`${name} = ${value}`] : [];
  });
}
