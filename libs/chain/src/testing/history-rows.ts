/** One row of msdb's backupset, as text, so that LSNs keep all their digits. */
export interface HistoryRow {
  readonly id: string;
  readonly type: 'D' | 'I' | 'L';
  /** Minutes after 2026-03-01T00:00:00. */
  readonly finish?: number;
  readonly first?: number | bigint;
  readonly last?: number | bigint;
  /** Written as they are: column name to JSON text. */
  readonly columns?: Readonly<Record<string, string>>;
}

/** LSNs of tests are small numbers lifted beyond 64 bits, so that rounding would show. */
export function lsn(small: number | bigint): string {
  return (10n ** 22n + BigInt(small)).toString();
}

export function minute(minutes: number): string {
  return new Date(Date.UTC(2026, 2, 1) + minutes * 60_000).toISOString().slice(0, 19);
}

/** A JSON array of rows with bare numbers, as `SELECT … FOR JSON` writes it. */
export function historyText(rows: readonly HistoryRow[]): string {
  return `[${rows.map(rowText).join(',\n')}]`;
}

function rowText(row: HistoryRow): string {
  const columns: Record<string, string> = {
    backup_set_uuid: JSON.stringify(row.id),
    database_name: '"Sales"',
    type: JSON.stringify(row.type),
    ...(row.finish === undefined
      ? {}
      : {
          backup_start_date: JSON.stringify(minute(row.finish)),
          backup_finish_date: JSON.stringify(minute(row.finish)),
        }),
    ...(row.first === undefined ? {} : { first_lsn: lsn(row.first) }),
    ...(row.last === undefined ? {} : { last_lsn: lsn(row.last) }),
    media: JSON.stringify([`${row.id}.bak`]),
    ...row.columns,
  };
  const fields = Object.entries(columns).map(([name, text]) => `"${name}":${text}`);
  return `{${fields.join(',')}}`;
}

/** A full that ends at `last`; its checkpoint is its first LSN. */
export function full(id: string, finish: number, first: number, last: number, columns = {}): HistoryRow {
  return { id, type: 'D', finish, first, last, columns: { checkpoint_lsn: lsn(first), ...columns } };
}

export function copyOnlyFull(id: string, finish: number, first: number, last: number): HistoryRow {
  return full(id, finish, first, last, { is_copy_only: 'true' });
}

/** A differential that names its base by id and checkpoint. */
export function differential(
  id: string,
  finish: number,
  first: number,
  last: number,
  base: HistoryRow,
): HistoryRow {
  const columns = {
    differential_base_guid: JSON.stringify(base.id),
    differential_base_lsn: base.columns?.['checkpoint_lsn'] ?? 'null',
  };
  return { id, type: 'I', finish, first, last, columns };
}

export function log(id: string, finish: number, first: number, last: number, columns = {}): HistoryRow {
  return { id, type: 'L', finish, first, last, columns };
}
