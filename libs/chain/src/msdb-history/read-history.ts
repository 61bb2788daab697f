import { CatenaError } from '@catena/events';
import type { Position } from '../position.ts';
import { readHistoryTime, type HistoryTime } from './history-clock.ts';
import type { HistorySet } from './history-set.ts';

/** A history as sets, and what was left out while reading. */
export interface ReadHistory {
  readonly sets: readonly HistorySet[];
  readonly notes: readonly string[];
}

type Row = ReadonlyMap<string, unknown>;

/** LSNs have up to 25 digits: beyond what a number holds, so their text is kept. */
const LSN_COLUMNS: ReadonlySet<string> = new Set([
  'first_lsn',
  'last_lsn',
  'checkpoint_lsn',
  'database_backup_lsn',
  'differential_base_lsn',
  'fork_point_lsn',
]);

const TYPES = { D: 'full', I: 'differential', L: 'log' } as const;
const OTHER_TYPES: Readonly<Record<string, string>> = {
  F: 'file or filegroup',
  G: 'differential file',
  P: 'partial',
  Q: 'differential partial',
};

/**
 * Reads rows of msdb's backupset as `SELECT … FOR JSON` gives them; any column may be missing. Rows of one set are folded
 * into one.
 * @throws CatenaError `history.not-json`, `history.not-a-list`, `history.lsn-unreadable`, `history.time-unreadable`,
 * `history.type-unknown`, each naming row and column.
 */
export function readHistory(text: string): ReadHistory {
  const notes: string[] = [];
  const sets = new Map<string, HistorySet>();
  const others = new Map<string, number>();
  rowsOf(text).forEach((row, index) => {
    const type = textOf(row, 'type')?.toUpperCase() ?? '';
    const other = OTHER_TYPES[type];
    if (other !== undefined) {
      others.set(other, (others.get(other) ?? 0) + 1);
      return;
    }
    const set = setOf(row, index + 1, type);
    const known = sets.get(set.id.toLowerCase());
    sets.set(set.id.toLowerCase(), known === undefined ? set : withFiles(known, set.files));
  });
  for (const [kind, count] of others) {
    notes.push(`${count} ${kind} backup sets are left out: they are no base of a whole database.`);
  }
  return { sets: [...sets.values()], notes };
}

function rowsOf(text: string): Row[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, keepLsnText);
  } catch (error) {
    throw new CatenaError(
      'history.not-json',
      `The history is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      { remedy: 'Give the output of SELECT … FOR JSON.', cause: error },
    );
  }
  const rows = Array.isArray(parsed) ? parsed : onlyListOf(parsed);
  return rows.map((row, index) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw notAList(`row ${index + 1} is not an object`);
    }
    const columns = row as Record<string, unknown>;
    return new Map(Object.entries(columns).map(([column, value]) => [column.toLowerCase(), value]));
  });
}

/** The third argument of a reviver has the number as it was written; TypeScript's library does not know it yet. */
function keepLsnText(this: unknown, key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && LSN_COLUMNS.has(key.toLowerCase()) ? context?.source : value;
}

/** `FOR JSON …, ROOT('x')` wraps the rows. */
function onlyListOf(parsed: unknown): unknown[] {
  const lists = Object.values(typeof parsed === 'object' && parsed !== null ? parsed : {}).filter(
    (value): value is unknown[] => Array.isArray(value),
  );
  const [list] = lists;
  if (list === undefined || lists.length > 1) throw notAList('it has no single list of rows');
  return list;
}

function notAList(why: string): CatenaError {
  return new CatenaError('history.not-a-list', `The history is not a list of backup sets: ${why}.`, {
    remedy: 'Give a JSON array of rows, as SELECT … FOR JSON writes it.',
  });
}

function setOf(row: Row, number: number, type: string): HistorySet {
  if (type !== 'D' && type !== 'I' && type !== 'L') {
    throw new CatenaError('history.type-unknown', `Row ${number}: type "${type}" is not a backup type.`, {
      remedy: 'The column type holds D (full), I (differential) or L (log).',
    });
  }
  return {
    id: textOf(row, 'backup_set_uuid') ?? textOf(row, 'backup_set_id') ?? `row-${number}`,
    guid: textOf(row, 'backup_set_uuid')?.toLowerCase(),
    row: number,
    database: textOf(row, 'database_name') ?? '',
    server: textOf(row, 'server_name'),
    availabilityGroup: textOf(row, 'availability_group_name'),
    type: TYPES[type],
    copyOnly: flagOf(row, 'is_copy_only') === true && type !== 'I',
    damaged: flagOf(row, 'is_damaged') === true,
    snapshot: flagOf(row, 'is_snapshot') === true,
    checksums: flagOf(row, 'has_backup_checksums'),
    bulkLogged: flagOf(row, 'has_bulk_logged_data') === true,
    start: timeOf(row, number, 'backup_start_date'),
    finish: timeOf(row, number, 'backup_finish_date'),
    firstLsn: lsnOf(row, number, 'first_lsn'),
    lastLsn: lsnOf(row, number, 'last_lsn'),
    checkpointLsn: lsnOf(row, number, 'checkpoint_lsn'),
    databaseBackupLsn: lsnOf(row, number, 'database_backup_lsn'),
    differentialBaseLsn: lsnOf(row, number, 'differential_base_lsn'),
    differentialBaseGuid: textOf(row, 'differential_base_guid')?.toLowerCase(),
    firstFork: textOf(row, 'first_recovery_fork_guid')?.toLowerCase(),
    lastFork: textOf(row, 'last_recovery_fork_guid')?.toLowerCase(),
    forkPointLsn: lsnOf(row, number, 'fork_point_lsn'),
    family: textOf(row, 'family_guid')?.toLowerCase(),
    position: Number(textOf(row, 'position') ?? Number.NaN) || undefined,
    files: filesOf(row),
  };
}

function withFiles(set: HistorySet, files: readonly string[]): HistorySet {
  return { ...set, files: [...new Set([...set.files, ...files])] };
}

/** `media` is a list of names, or of objects with the column; a join has the column in the row itself. */
function filesOf(row: Row): string[] {
  const media = row.get('media');
  const listed = Array.isArray(media) ? (media as unknown[]) : [];
  const names = [...listed, row.get('physical_device_name')].map((one) =>
    typeof one === 'object' && one !== null
      ? (one as { physical_device_name?: unknown }).physical_device_name
      : one,
  );
  return [...new Set(names.filter((name): name is string => typeof name === 'string'))];
}

function textOf(row: Row, column: string): string | undefined {
  const value = row.get(column);
  if (typeof value === 'string') return value.trim() === '' ? undefined : value.trim();
  return typeof value === 'number' ? String(value) : undefined;
}

function flagOf(row: Row, column: string): boolean | undefined {
  const value = row.get(column);
  if (value === true || value === 1 || value === '1' || value === 'true') return true;
  return value === undefined || value === null ? undefined : false;
}

function timeOf(row: Row, number: number, column: string): HistoryTime | undefined {
  const text = textOf(row, column);
  return text === undefined ? undefined : readHistoryTime(text, `Row ${number}: ${column}`);
}

function lsnOf(row: Row, number: number, column: string): Position | undefined {
  const text = textOf(row, column);
  if (text === undefined) return undefined;
  const exact = /^(\d+)(?:\.0*)?$/.exec(text)?.[1];
  if (exact !== undefined) return exact.replace(/^0+(?=\d)/, '');
  throw new CatenaError(
    'history.lsn-unreadable',
    `Row ${number}: ${column} is not an exact integer: ${text}.`,
    { remedy: 'Select the column as it is (numeric(25,0)); a float has lost digits.' },
  );
}
