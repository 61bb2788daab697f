import type { RestorableBackup } from '../restore-plan/restorable.ts';

/** A data backup of the planner's tests: it ends at `position`, which is also its minute. Its type follows its name. */
export function restorable(
  backup: string,
  position: number,
  fields: Partial<RestorableBackup> = {},
): RestorableBackup {
  const types = { f: 'full', c: 'full', i: 'incremental', d: 'differential', l: 'log' } as const;
  return {
    backup,
    repository: 'vault',
    type: types[backup.charAt(0) as keyof typeof types],
    copyOnly: backup.startsWith('c'),
    family: 'family-1',
    position: String(position),
    asOf: restorableTime(position),
    closure: [],
    bytes: 10,
    keyIds: [],
    state: 'usable',
    ...fields,
  };
}

export function restorableLog(
  backup: string,
  start: number,
  end: number,
  fields: Partial<RestorableBackup> = {},
): RestorableBackup {
  return restorable(backup, end, { type: 'log', copyOnly: false, start: String(start), ...fields });
}

export function restorableTime(minute: number): string {
  return new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString();
}
