import { CatenaError } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import type { ClientBase } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { patientDataSource, type ConnectionOptions } from '../connection/data-source.ts';
import { giveBack, tryLock } from '../migrations/advisory-locks.ts';
import { migrate, migrations } from '../migrations/migrate.ts';
import { pause } from '../projection/backoff.ts';
import { commitBatch, rollBack, writeEvents } from '../projection/commit-batch.ts';
import { GenerationWriter } from '../projection/generation-writer.ts';
import { bulkLoad } from './bulk-load.ts';
import { enterGeneration, lockLiveGeneration, schemaName } from './generation.ts';
import { beginGeneration, dropLeftovers, makeLive } from './make-generation.ts';
import { readRange } from './read-range.ts';

export interface RebuildOptions {
  readonly signal?: AbortSignal;
  /** Called now and then with the log sequence reached and the one to reach. */
  readonly onProgress?: (sequence: number, target: number) => void;
  /** Current rows of each read model that are kept in memory; default 3000. Fewer need less memory and more questions. */
  readonly keptRows?: number;
}

export interface RebuildResult {
  /** How many events were applied. */
  readonly events: number;
  readonly milliseconds: number;
  /** The copy that is live now, `catena_<number>`. */
  readonly generation: string;
  /** Log sequence of the last event in it when it became live. */
  readonly sequence: number;
}

/** Somebody is building a copy already. */
export class RebuildRunningError extends CatenaError {
  constructor() {
    super('read-store.rebuild-running', 'The read models are being rebuilt already.', {
      remedy: 'Wait until that rebuild is done; its copy will be as new as yours.',
    });
  }
}

/** How far behind the live copy a swap may begin; the rest is applied while projectors wait. */
const SWAP_WITHIN = 1_000;
const CATCH_UP_BATCH = 2_000;
const SWAP_ATTEMPTS = 10;

/**
 * Builds the read models again in a schema of their own, from the log alone, and makes them live in one transaction with
 * the views. Queries and projectors go on meanwhile. Whenever it ends before that, nothing has changed; what is left is
 * dropped here, or by the next rebuild or start.
 * @throws RebuildRunningError
 */
export async function rebuild(
  connection: ConnectionOptions,
  log: EventLog,
  options: RebuildOptions = {},
): Promise<RebuildResult> {
  const began = performance.now();
  const dataSource = await patientDataSource(connection).initialize();
  try {
    const runner = dataSource.createQueryRunner();
    // The lock belongs to the connection that does all the work: who loses the one loses the other.
    const client = (await runner.connect()) as ClientBase;
    if (!(await tryLock(client, 'rebuild'))) throw new RebuildRunningError();
    await dropLeftovers(runner);
    const number = await beginGeneration(runner);
    try {
      const sequence = await buildAndSwap({ connection, dataSource, runner, log, number, options });
      return {
        events: sequence,
        milliseconds: performance.now() - began,
        generation: schemaName(number),
        sequence,
      };
    } finally {
      await dropOthers(runner);
      await giveBack(client, 'rebuild');
    }
  } finally {
    await dataSource.destroy();
  }
}

interface Build {
  readonly connection: ConnectionOptions;
  readonly dataSource: DataSource;
  readonly runner: QueryRunner;
  readonly log: EventLog;
  readonly number: number;
  readonly options: RebuildOptions;
}

async function buildAndSwap(build: Build): Promise<number> {
  const { connection, dataSource, runner, log, number, options } = build;
  const signal = options.signal ?? new AbortController().signal;
  await migrate(connection, schemaName(number), migrations.tables);
  const through = await log.lastSequence();
  if (through > 0) {
    const onProgress = (sequence: number) => options.onProgress?.(sequence, through);
    const { keptRows } = options;
    await bulkLoad(dataSource, runner, { log, generation: number, through, signal, onProgress, keptRows });
  }
  signal.throwIfAborted();
  await migrate(connection, schemaName(number), migrations.whole);
  await analyze(runner, number);
  return swapWhenCaughtUp(build, through, signal);
}

/** New tables have no statistics, and the first queries would be planned without. A small sample tells enough of ids and times. */
async function analyze(runner: QueryRunner, number: number): Promise<void> {
  const tables = (await runner.query('select tablename from pg_tables where schemaname = $1', [
    schemaName(number),
  ])) as { tablename: string }[];
  await runner.query('set default_statistics_target = 20');
  for (const { tablename } of tables) await runner.query(`analyze ${schemaName(number)}."${tablename}"`);
}

async function swapWhenCaughtUp(build: Build, loaded: number, signal: AbortSignal): Promise<number> {
  const writer = new GenerationWriter(build.dataSource, { keptRows: CATCH_UP_BATCH });
  let position = loaded;
  for (let attempt = 1; attempt <= SWAP_ATTEMPTS; attempt++) {
    position = await catchUp(build, writer, position, signal);
    const swappedAt = await trySwap(build, writer, position);
    if (swappedAt !== undefined) return swappedAt;
    await pause(attempt * 100, signal);
  }
  throw new CatenaError(
    'read-store.no-swap',
    'The rebuilt read models could not take the place of the old ones.',
    {
      remedy:
        'Somebody holds the views of schema "catena" for long, see pg_stat_activity; then rebuild again.',
      retryable: true,
    },
  );
}

async function catchUp(
  { runner, log, number, options }: Build,
  writer: GenerationWriter,
  from: number,
  signal: AbortSignal,
): Promise<number> {
  let position = from;
  for (let last = await log.lastSequence(); position < last; last = await log.lastSequence()) {
    signal.throwIfAborted();
    const to = Math.min(last, position + CATCH_UP_BATCH);
    const events = await readRange(log, position + 1, to);
    const ours = await commitBatch(
      runner,
      writer,
      { number, state: 'building' },
      { from: position, to, events },
    );
    if (!ours) throw buildTaken(number);
    position = to;
    options.onProgress?.(position, last);
    if (last - position <= SWAP_WITHIN) break;
  }
  return position;
}

/** @returns the position at which it became live; undefined when it has to come closer first, or the views were in use. */
async function trySwap(
  { runner, log, number }: Build,
  writer: GenerationWriter,
  position: number,
): Promise<number | undefined> {
  await runner.query('begin');
  try {
    // Given up before PostgreSQL would look for a deadlock and might end a reader of the views for it.
    await runner.query(`set local lock_timeout = '500ms'`);
    // From here on no projector moves the live copy, so the new one can be brought at least as far.
    const live = await lockLiveGeneration(runner);
    // A log that was lost and begun again is shorter than the copy made of the old one; the log is right.
    const to = Math.max(position, Math.min(live?.position ?? 0, await log.lastSequence()));
    if (to - position > SWAP_WITHIN) {
      await runner.query('rollback');
      return undefined;
    }
    await enterGeneration(runner, number);
    await writeEvents(runner, writer, await readRange(log, position + 1, to));
    await runner.query('update catena.generation set position = $2 where number = $1', [number, to]);
    if (!(await makeLive(runner, number))) throw buildTaken(number);
    await runner.query('commit');
    return to;
  } catch (error) {
    writer.clear();
    await rollBack(runner);
    if ((error as { code?: unknown }).code === LOCK_NOT_AVAILABLE) return undefined;
    throw error;
  }
}

/**
 * What is not live is of no use: the old copy after a swap, the new one after a failure. When it cannot be dropped now,
 * the next rebuild or start does it; the rebuild's own outcome is what the caller must hear.
 */
async function dropOthers(runner: QueryRunner): Promise<void> {
  if (!runner.isReleased) await dropLeftovers(runner).catch(() => undefined);
}

function buildTaken(number: number): CatenaError {
  return new CatenaError(
    'read-store.build-gone',
    `The copy ${schemaName(number)} was dropped while it was built.`,
    {
      remedy: 'Rebuild again.',
      retryable: true,
    },
  );
}

const LOCK_NOT_AVAILABLE = '55P03';
