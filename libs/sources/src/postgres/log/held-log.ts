/**
 * What keeps the server from throwing away log that was not backed up yet: a physical slot of the collection. It is made
 * only where the server itself bounds what it holds back, so that the source's disk is safe also when nobody comes for
 * the log any more (rules.md 3.12).
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CatenaError } from '@catena/events';
import { SourceError } from '../../port/source-error.ts';
import { shownAddress } from '../wire/address.ts';
import type { ReplicationConnection } from '../wire/connection.ts';
import { segmentStart } from '../wire/lsn.ts';
import { createPhysicalSlot, dropSlot, readSlot, type SlotState } from '../wire/slots.ts';
import { identifySystem, type ServerSettings } from '../wire/system.ts';
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
 * @returns from where the log is held; undefined when the server cannot be asked and the slot was there before
 * @throws SourceError `source.logUnbounded` where the server would hold log without bound.
 */
export async function holdLog(
  connection: ReplicationConnection,
  settings: ServerSettings,
  { collection, unbounded }: HoldOptions,
): Promise<bigint | undefined> {
  const known = await readHold(connection, collection);
  if (known?.restartPosition !== undefined) return known.restartPosition;
  if (settings.slotLimit === undefined && !unbounded) throw nothingBounds(connection);
  const name = slotOf(collection);
  if (known?.kind === 'unknown') return await holdUnasked(connection, name);
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

/** A new slot holds from the last checkpoint on, so from where the server is now as well. */
async function holdUnasked(connection: ReplicationConnection, name: string): Promise<bigint | undefined> {
  try {
    await createPhysicalSlot(connection, name);
  } catch (error) {
    if (sqlStateOf(error) === ALREADY_THERE) return undefined;
    throw error;
  }
  return (await identifySystem(connection)).position;
}

const ALREADY_THERE = '42710';
const NOT_THERE = '42704';
const IN_USE = '55006';
/** How long a mover that was killed may still seem to read through the slot. */
const IN_USE_MILLISECONDS = 30_000;
const LOOK_AGAIN_MILLISECONDS = 200;

export interface HeldStreamOptions {
  readonly position: bigint;
  readonly timeline: number;
  readonly signal?: AbortSignal | undefined;
  /** The slot to read through; absent: none is touched. */
  readonly hold?: HoldOptions | undefined;
}

/** The log from a position on. */
export interface HeldStream {
  readonly stream: WalStream;
  /** Whether it is read through the slot. */
  readonly isHeld: boolean;
  /** What people must know of the slot. */
  readonly warning?: string;
}

/** Reads the log through the slot of the collection. One that was let go is made anew, and the log read without. */
export async function streamThroughHold(
  connection: ReplicationConnection,
  settings: ServerSettings,
  { position, timeline, signal, hold }: HeldStreamOptions,
): Promise<HeldStream> {
  if (hold === undefined)
    return { stream: await WalStream.begin(connection, { position, timeline }), isHeld: false };
  const slot = slotOf(hold.collection);
  const held = await readHold(connection, hold.collection);
  if (held?.kind === 'held' || held?.kind === 'unknown') {
    const stream = await beginThrough(connection, { position, timeline, slot }, signal);
    if (stream !== undefined) return { stream, isHeld: true };
  }
  await holdLog(connection, settings, hold);
  return {
    stream: await WalStream.begin(connection, { position, timeline }),
    isHeld: false,
    warning: `The slot ${slot} ${held?.kind === 'lost' ? 'had lost what it held' : 'was not there'} and was made anew. What was not backed up then may be lost.`,
  };
}

/** Undefined when there is no such slot. Whoever read through it before may not be gone yet. */
async function beginThrough(
  connection: ReplicationConnection,
  options: { position: bigint; timeline: number; slot: string },
  signal: AbortSignal | undefined,
): Promise<WalStream | undefined> {
  const until = performance.now() + IN_USE_MILLISECONDS;
  for (;;) {
    try {
      return await WalStream.begin(connection, options);
    } catch (error) {
      const state = sqlStateOf(error);
      if (state === NOT_THERE) return undefined;
      if (state !== IN_USE || performance.now() > until) throw error;
    }
    await sleep(LOOK_AGAIN_MILLISECONDS, undefined, { signal });
  }
}

/** Drops the slot of the collection, however much it holds. Whoever reads through it may not be gone yet. */
export async function giveUpHold(connection: ReplicationConnection, collection: string): Promise<void> {
  const until = performance.now() + IN_USE_MILLISECONDS;
  for (;;) {
    try {
      await dropSlot(connection, slotOf(collection));
      return;
    } catch (error) {
      const state = sqlStateOf(error);
      if (state === NOT_THERE) return;
      if (state !== IN_USE || performance.now() > until) throw error;
    }
    await sleep(LOOK_AGAIN_MILLISECONDS);
  }
}

function sqlStateOf(error: unknown): unknown {
  return error instanceof CatenaError ? error.details?.['sqlState'] : undefined;
}

/** Says that everything up to the position is in the catalog: the slot follows, and never leads. */
export async function letGo(
  connection: ReplicationConnection,
  settings: ServerSettings,
  { collection, position, timeline }: { collection: string; position: bigint; timeline: number },
): Promise<void> {
  const held = await readHold(connection, collection);
  if (held === undefined || held.kind === 'lost') return;
  if (held.restartPosition !== undefined && held.restartPosition >= position) return;
  const from = segmentStart(position, settings.walSegmentSize);
  const stream = await beginThrough(
    connection,
    { position: from, timeline, slot: slotOf(collection) },
    undefined,
  );
  if (stream === undefined) return;
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
