/** What a server says about itself and its history, on a replication connection. */
import { SourceError } from '../../port/source-error.ts';
import { shownAddress } from './address.ts';
import type { Row } from './command.ts';
import type { ReplicationConnection } from './connection.ts';
import { parseLsn } from './lsn.ts';

export interface SystemIdentity {
  /** Decimal, above 2^53: the same for a cluster and all its copies and standbys. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** How far the log is written and synced (on a standby: received and replayed). */
  readonly position: bigint;
}

/** Settings of a server that decide how it is backed up. */
export interface ServerSettings {
  /** E.g. `18.4`. */
  readonly version: string;
  readonly major: number;
  /** Bytes. */
  readonly blockSize: number;
  readonly walSegmentSize: bigint;
  readonly hasPageChecksums: boolean;
  /** Whether it tracks changed blocks (17 and newer). */
  readonly summarizesWal: boolean;
  /** Whether the server itself bounds what a slot may hold back; undefined when it does not. Megabytes. */
  readonly slotLimit: number | undefined;
  /** What it keeps whatever slots say. Megabytes. */
  readonly walKeep: number;
}

export async function identifySystem(connection: ReplicationConnection): Promise<SystemIdentity> {
  const row = await connection.row('IDENTIFY_SYSTEM');
  return {
    systemIdentifier: textOf(row, 'systemid', connection),
    timeline: Number(textOf(row, 'timeline', connection)),
    position: parseLsn(textOf(row, 'xlogpos', connection)),
  };
}

/** The value of a setting, with its unit, as `SHOW` spells it. */
export async function show(connection: ReplicationConnection, setting: string): Promise<string> {
  const row = await connection.row(`SHOW ${setting}`);
  return Object.values(row)[0] ?? '';
}

export async function readSettings(connection: ReplicationConnection): Promise<ServerSettings> {
  const major = connection.majorVersion;
  const limit = await show(connection, 'max_slot_wal_keep_size');
  return {
    version: connection.serverVersion,
    major,
    blockSize: Number(await show(connection, 'block_size')),
    walSegmentSize: bytesOf(await show(connection, 'wal_segment_size')),
    hasPageChecksums: (await show(connection, 'data_checksums')) === 'on',
    summarizesWal: major >= 17 && (await show(connection, 'summarize_wal')) === 'on',
    slotLimit: limit === '-1' ? undefined : Number(bytesOf(limit) / 1_048_576n),
    walKeep: Number(bytesOf(await show(connection, 'wal_keep_size')) / 1_048_576n),
  };
}

export interface TimelineHistory {
  /** E.g. `00000002.history`. */
  readonly fileName: string;
  readonly content: string;
}

/** The file that says where a timeline came from; timeline 1 has none. */
export async function readTimelineHistory(
  connection: ReplicationConnection,
  timeline: number,
): Promise<TimelineHistory> {
  const row = await connection.row(`TIMELINE_HISTORY ${timeline}`);
  return {
    fileName: textOf(row, 'filename', connection),
    content: bytesAsText(textOf(row, 'content', connection)),
  };
}

const UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  B: 1n,
  kB: 1n << 10n,
  MB: 1n << 20n,
  GB: 1n << 30n,
  TB: 1n << 40n,
};

/** A size as `SHOW` spells it (`16MB`), in bytes. */
export function bytesOf(setting: string): bigint {
  const match = /^(\d+)\s*(B|kB|MB|GB|TB)?$/.exec(setting);
  const unit = UNITS[match?.[2] ?? ''];
  if (match === null || unit === undefined) throw new RangeError(`'${setting}' is no size.`);
  return BigInt(match[1] ?? '0') * unit;
}

function textOf(row: Row, column: string, connection: ReplicationConnection): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new SourceError(
    'source.commandFailed',
    `The server at ${shownAddress(connection.address)} gave no ${column}.`,
    { remedy: 'Is this a PostgreSQL server? Catena speaks with versions 13 to 18.' },
  );
}

/** Servers before 15 give the file as bytea in hex, later ones as text. */
function bytesAsText(value: string): string {
  return value.startsWith('\\x') ? Buffer.from(value.slice(2), 'hex').toString('utf8') : value;
}
