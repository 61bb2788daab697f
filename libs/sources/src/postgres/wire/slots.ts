/** Physical replication slots: what keeps a server from throwing away log that is still needed. */
import type { ReplicationConnection } from './connection.ts';
import { parseLsn } from './lsn.ts';

export interface SlotState {
  /** `unknown`: servers before 15 cannot be asked; `lost`: it holds nothing any more. */
  readonly kind: 'held' | 'lost' | 'unknown';
  /** From where the server still holds its log; only of `held`. */
  readonly restartPosition?: bigint;
}

/** First major version with READ_REPLICATION_SLOT. */
const CAN_BE_ASKED = 15;

export interface CreateSlotOptions {
  /** Gone with the connection that made it. */
  readonly temporary?: boolean;
}

/** Makes a slot that holds the log from now on. Make it before the base backup that the log is to follow. */
export async function createPhysicalSlot(
  connection: ReplicationConnection,
  name: string,
  { temporary = false }: CreateSlotOptions = {},
): Promise<void> {
  const kind = temporary ? 'TEMPORARY PHYSICAL' : 'PHYSICAL';
  await connection.ask(`CREATE_REPLICATION_SLOT ${quoted(name)} ${kind} RESERVE_WAL`);
}

/** Undefined when there is no such slot. */
export async function readSlot(
  connection: ReplicationConnection,
  name: string,
): Promise<SlotState | undefined> {
  if (connection.majorVersion < CAN_BE_ASKED) return { kind: 'unknown' };
  const row = await connection.row(`READ_REPLICATION_SLOT ${quoted(name)}`);
  if (row['slot_type'] === null) return undefined;
  const { restart_lsn: position } = row;
  return position == null ? { kind: 'lost' } : { kind: 'held', restartPosition: parseLsn(position) };
}

export async function dropSlot(connection: ReplicationConnection, name: string): Promise<void> {
  await connection.ask(`DROP_REPLICATION_SLOT ${quoted(name)}`);
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
