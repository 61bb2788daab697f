import type { QueryRunner } from 'typeorm';

/** A copy of the read models, in a schema of its own. */
export interface Generation {
  readonly number: number;
  readonly state: 'building' | 'live';
  readonly readModelVersion: number;
  /** Log sequence of the last event that its rows contain. */
  readonly position: number;
  /** Why it does not go on; null: it does. */
  readonly stopped: string | null;
}

/** `catena_<number>`; needs no quoting. */
export function schemaName(number: number): string {
  return `catena_${number}`;
}

interface StoredGeneration {
  readonly number: number;
  readonly state: 'building' | 'live';
  readonly read_model_version: number;
  readonly position: string;
  readonly stopped: string | null;
}

const COLUMNS = 'number, state, read_model_version, position, stopped';

/** The copy that answers; undefined only before the first was made. */
export async function liveGeneration(runner: QueryRunner): Promise<Generation | undefined> {
  return firstGeneration(
    (await runner.query(
      `select ${COLUMNS} from catena.generation where state = 'live'`,
    )) as StoredGeneration[],
  );
}

/** As {@link liveGeneration}, and no other process can move or replace it until this transaction ends. */
export async function lockLiveGeneration(runner: QueryRunner): Promise<Generation | undefined> {
  return firstGeneration(
    (await runner.query(
      `select ${COLUMNS} from catena.generation where state = 'live' for update`,
    )) as StoredGeneration[],
  );
}

/** As {@link liveGeneration}, and unqualified tables of this transaction are that copy's. */
export async function enterLiveGeneration(runner: QueryRunner): Promise<Generation | undefined> {
  return firstGeneration(
    (await runner.query(
      `select ${COLUMNS}, set_config('search_path', 'catena_' || number, true) from catena.generation where state = 'live'`,
    )) as StoredGeneration[],
  );
}

/** Unqualified tables of this transaction are those of the copy. */
export async function enterGeneration(runner: QueryRunner, number: number): Promise<void> {
  await runner.query(`set local search_path to ${schemaName(number)}`);
}

/**
 * Moves the position within the transaction that writes the rows up to it, and enters the copy. The row's lock makes a
 * second projector wait, and then find the position moved.
 * @returns false when the copy is not at `from` any more, or not in that state.
 */
export async function movePosition(
  runner: QueryRunner,
  generation: Pick<Generation, 'number' | 'state'>,
  from: number,
  to: number,
): Promise<boolean> {
  // Not to wait for the disk is safe: rows and position are lost together, and the log has the events.
  // A process that is stopped between two statements must not hold the row's lock for ever.
  const result = (await runner.query(
    `update catena.generation set position = $4, stopped = null
      where number = $1 and state = $2 and position = $3
      returning set_config('search_path', 'catena_' || number, true),
        set_config('synchronous_commit', 'off', true),
        set_config('idle_in_transaction_session_timeout', '20s', true)`,
    [generation.number, generation.state, from, to],
  )) as [unknown[], number];
  return result[1] === 1;
}

/** Writes down why a copy stands at a position; does nothing when it has gone on meanwhile. */
export async function markStopped(
  runner: QueryRunner,
  generation: Pick<Generation, 'number'>,
  position: number,
  reason: string,
): Promise<void> {
  await runner.query('update catena.generation set stopped = $3 where number = $1 and position = $2', [
    generation.number,
    position,
    reason,
  ]);
}

function firstGeneration([stored]: readonly StoredGeneration[]): Generation | undefined {
  if (stored === undefined) return undefined;
  const { number, state, read_model_version: readModelVersion, position, stopped } = stored;
  return { number, state, readModelVersion, position: Number(position), stopped };
}
