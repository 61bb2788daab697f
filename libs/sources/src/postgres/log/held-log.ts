/**
 * What keeps the server from throwing away log that was not backed up yet: a physical slot of the collection. It is made
 * only where the server itself bounds what it holds back, so that the source's disk is safe also when nobody comes for
 * the log any more (rules.md 3.12).
 */
import { createHash } from 'node:crypto';
import { SourceError } from '../../port/source-error.ts';
import { shownAddress } from '../wire/address.ts';
import type { ReplicationConnection } from '../wire/connection.ts';
import { segmentStart } from '../wire/lsn.ts';
import { createPhysicalSlot, dropSlot, readSlot, type SlotState } from '../wire/slots.ts';
import type { ServerSettings } from '../wire/system.ts';
import { WalStream } from '../wire/wal-stream.ts';

export interface HoldOptions {
  readonly collection: string;
  /** Whether a slot that nothing bounds is accepted. */
  readonly unbounded: boolean;
}

/** The name of a collection's slot, as pg_replication_slots shows it. */
export function slotOf(collection: string): string {
  return `catena_${createHash('sha256').update(collection).digest('hex').slice(0, 16)}`;
}

/** How a slot of the collection stands; undefined when there is none. */
export async function readHold(
  connection: ReplicationConnection,
  collection: string,
): Promise<SlotState | undefined> {
  return await readSlot(connection, slotOf(collection));
}

/**
 * Makes the slot if it is not there, and anew if the server let it go.
 * @returns from where the log is held
 * @throws SourceError `source.logUnbounded` where the server would hold log without bound.
 */
export async function holdLog(
  connection: ReplicationConnection,
  settings: ServerSettings,
  { collection, unbounded }: HoldOptions,
): Promise<bigint> {
  const known = await readHold(connection, collection);
  if (known?.restartPosition !== undefined) return known.restartPosition;
  if (settings.slotLimit === undefined && !unbounded) throw nothingBounds(connection);
  const name = slotOf(collection);
  if (known !== undefined) await dropSlot(connection, name);
  await createPhysicalSlot(connection, name);
  const made = await readHold(connection, collection);
  if (made?.restartPosition !== undefined) return made.restartPosition;
  throw new SourceError(
    'source.commandFailed',
    `The PostgreSQL server at ${shownAddress(connection.address)} made the slot ${name}, but it holds nothing.`,
    { remedy: 'Look at pg_replication_slots on the server.', retryable: true },
  );
}

/** Says that everything up to the position is in the catalog: the slot follows, and never leads. */
export async function letGo(
  connection: ReplicationConnection,
  settings: ServerSettings,
  { collection, position, timeline }: { collection: string; position: bigint; timeline: number },
): Promise<void> {
  const held = await readHold(connection, collection);
  if (held?.restartPosition === undefined || held.restartPosition >= position) return;
  const stream = await WalStream.begin(connection, {
    position: segmentStart(position, settings.walSegmentSize),
    timeline,
    slot: slotOf(collection),
  });
  stream.reportFlushed(position);
  stream.stop();
  const pieces = stream.pieces();
  while ((await pieces.next()).done !== true);
  await stream.end();
}

function nothingBounds(connection: ReplicationConnection): SourceError {
  return new SourceError(
    'source.logUnbounded',
    `The PostgreSQL server at ${shownAddress(connection.address)} does not bound what a replication slot holds back: should nobody come for the log, its disk would fill.`,
    {
      remedy:
        "Run ALTER SYSTEM SET max_slot_wal_keep_size = '20GB' and SELECT pg_reload_conf() on the server, or accept it with log: {hold: slot, unbounded: true} in the Source definition.",
    },
  );
}
