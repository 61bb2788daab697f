/** How much log a slot may still hold back before the server lets it go: what pg_replication_slots calls safe_wal_size. */
import type { ServerSettings } from '../wire/system.ts';

export interface HoldRoom {
  /** Bytes that the slot holds back now. */
  readonly held: bigint;
  /** Bytes that it may hold back. */
  readonly limit: bigint;
  /** Bytes that may still be written until then; below nothing when it is over. */
  readonly safe: bigint;
}

const MEGABYTE = 1_048_576n;

/**
 * The rule of the server (slotfuncs.c, pg_get_replication_slots): whole segments, of what is the larger, the limit of slots or
 * what is kept anyway.
 * @param restart from where the slot holds
 * @param position how far the log is written
 * @param holdLimit bytes, as the definition has it
 * @returns undefined when nothing bounds the slot
 */
export function holdRoom(
  {
    slotLimit,
    walKeep,
    walSegmentSize: size,
  }: Pick<ServerSettings, 'slotLimit' | 'walKeep' | 'walSegmentSize'>,
  restart: bigint,
  position: bigint,
  holdLimit: number | undefined,
): HoldRoom | undefined {
  const held = position - restart;
  const own = holdLimit === undefined ? undefined : BigInt(holdLimit);
  if (slotLimit === undefined) return own === undefined ? undefined : { held, limit: own, safe: own - held };
  const kept = (BigInt(Math.max(slotLimit, walKeep)) * MEGABYTE) / size;
  const limit = (restart / size + kept + 1n) * size - restart;
  const least = own !== undefined && own < limit ? own : limit;
  return { held, limit: least, safe: least - held };
}

/** Whether it is time to say so: a quarter is left. */
export function isShort({ limit, safe }: HoldRoom): boolean {
  return safe * 4n < limit;
}
