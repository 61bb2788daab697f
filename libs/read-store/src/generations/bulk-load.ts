import type { EventLog } from '@catena/event-log';
import type { ClientBase } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { rollBack } from '../projection/commit-batch.ts';
import { GenerationWriter, type Write } from '../projection/generation-writer.ts';
import { KeyFilter } from '../projection/key-filter.ts';
import { sendWrites } from '../projection/send-writes.ts';
import { readModels } from '../projectors/read-models.ts';
import { enterGeneration, movePosition } from './generation.ts';

export interface BulkLoad {
  readonly log: EventLog;
  /** The empty copy to fill. */
  readonly generation: number;
  /** Log sequence to stop at; greater than 0. */
  readonly through: number;
  readonly signal: AbortSignal;
  /** Current rows of each read model in memory; default 3000. */
  readonly keptRows?: number | undefined;
  /** Called now and then with the sequence reached. */
  readonly onProgress: (sequence: number) => void;
}

const BATCH = 2_000;
/** Rows of each read model in memory. A row that is forgotten before it is final costs an update. */
const KEPT_ROWS = 3_000;
/** Rows of a table that is new in this transaction can be marked as seen by all, which spares every later reader the marking. */
const FROZEN = ' with (freeze)';
/** Bytes that make a COPY worth its round trip. */
const WORTH_A_COPY = 500_000;

/**
 * Fills an empty copy in one transaction: versions of a row are written when they are complete, and while the server
 * takes one batch the next is read. A crash leaves an empty copy.
 */
export async function bulkLoad(dataSource: DataSource, runner: QueryRunner, load: BulkLoad): Promise<void> {
  const writer = new GenerationWriter(dataSource, {
    keptRows: load.keptRows ?? KEPT_ROWS,
    forgotten: new KeyFilter(load.through),
  });
  const client = (await runner.connect()) as ClientBase;
  const sendFrozen = (writes: readonly Write[]) => sendWrites(client, writes, FROZEN);
  await runner.query('begin');
  try {
    await enterGeneration(runner, load.generation);
    // Tables that are new in this transaction are loaded without a write-ahead log where the server is set up for it.
    await runner.query(`truncate ${[...readModels.map(({ name }) => `"${name}"`), 'log_time'].join(', ')}`);
    let sent: Promise<void> = Promise.resolve();
    const send = async (writes: readonly Write[]) => {
      await sent;
      await sendFrozen(writes);
    };
    for await (const events of eventsThrough(load)) {
      await writer.load(events, { runner, send });
      writer.apply(events);
      const writes = writer.takeFinished(WORTH_A_COPY);
      if (writes.length > 0) {
        await sent;
        sent = sendFrozen(writes);
        // Its failure is met where it is awaited; until then it must not count as unhandled.
        sent.catch(() => undefined);
      }
      load.onProgress(events.at(-1)?.sequence ?? 0);
    }
    await sent;
    await sendFrozen(writer.takeAll());
    await movePosition(runner, { number: load.generation, state: 'building' }, 0, load.through);
    await runner.query('commit');
  } catch (error) {
    await rollBack(runner);
    throw error;
  }
}

async function* eventsThrough({ log, through, signal }: BulkLoad) {
  for await (const batch of log.follow({ from: 1, batchSize: BATCH, signal })) {
    const last = batch.through >= through;
    yield last ? batch.events.filter(({ sequence }) => sequence <= through) : batch.events;
    if (last) return;
  }
  signal.throwIfAborted();
}
