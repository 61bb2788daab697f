/** Physical replication slots: what keeps a server from throwing away log that is still needed. */
import type { ReplicationConnection } from './connection.ts';
import { parseLsn } from './lsn.ts';

export interface SlotState {
  /** From where the server still holds its log; undefined when the slot holds nothing any more: it was lost. */
  readonly restartPosition: bigint | undefined;
  readonly restartTimeline: number | undefined;
}

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

/** Undefined when there is no such slot. Servers before 15 cannot be asked this way. */
export async function readSlot(
  connection: ReplicationConnection,
  name: string,
): Promise<SlotState | undefined> {
  const row = await connection.row(`READ_REPLICATION_SLOT ${quoted(name)}`);
  if (row['slot_type'] === null) return undefined;
  const { restart_lsn: position, restart_tli: timeline } = row;
  return {
    restartPosition: position == null ? undefined : parseLsn(position),
    restartTimeline: timeline == null ? undefined : Number(timeline),
  };
}

export async function dropSlot(connection: ReplicationConnection, name: string): Promise<void> {
  await connection.ask(`DROP_REPLICATION_SLOT ${quoted(name)}`);
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
