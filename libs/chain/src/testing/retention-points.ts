/** A backup as `catena simulate retention` takes it. */
export interface ListedBackup {
  id: string;
  time: string;
  type?: 'full' | 'differential' | 'incremental' | 'log';
  [field: string]: unknown;
}

/** One backup a day at noon, from a date on; ids are the dates. `types` repeats. */
export function daily(
  from: string,
  count: number,
  types: readonly NonNullable<ListedBackup['type']>[] = ['full'],
): ListedBackup[] {
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(Date.parse(`${from}T12:00:00Z`) + index * 86_400_000).toISOString();
    return { id: day.slice(0, 10), time: day, type: types[index % types.length] ?? 'full' };
  });
}
