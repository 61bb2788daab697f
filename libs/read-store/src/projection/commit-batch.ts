import type { AnyRecordedEvent } from '@catena/events';
import type { ClientBase } from 'pg';
import type { QueryRunner } from 'typeorm';
import { movePosition, type Generation } from '../generations/generation.ts';
import type { GenerationWriter } from './generation-writer.ts';
import { sendWrites } from './send-writes.ts';

/** Events that follow each other in the log, and the position they lead from and to. */
export interface Batch {
  readonly from: number;
  readonly to: number;
  readonly events: readonly AnyRecordedEvent[];
}

/**
 * Writes a batch and the position it ends at in one transaction.
 * @returns false, with nothing written, when the copy is not where the batch begins: another projector was faster, or
 * another copy is live.
 * @throws CannotApplyError, or what the database answered; nothing is written then, unless the answer to the commit was
 * lost: whoever goes on reads the position first.
 */
export async function commitBatch(
  runner: QueryRunner,
  writer: GenerationWriter,
  generation: Pick<Generation, 'number' | 'state'>,
  batch: Batch,
): Promise<boolean> {
  await runner.query('begin');
  try {
    const ours = await movePosition(runner, generation, batch.from, batch.to);
    if (ours) await writeEvents(runner, writer, batch.events);
    await runner.query(ours ? 'commit' : 'rollback');
    if (!ours) writer.clear();
    return ours;
  } catch (error) {
    writer.clear();
    await rollBack(runner);
    throw error;
  }
}

/** The rows of a batch, within the caller's transaction, in the copy that the search path names. */
export async function writeEvents(
  runner: QueryRunner,
  writer: GenerationWriter,
  events: readonly AnyRecordedEvent[],
): Promise<void> {
  const client = (await runner.connect()) as ClientBase;
  await writer.load(events, { runner, send: (writes) => sendWrites(client, writes) });
  writer.apply(events);
  await sendWrites(client, writer.takeAll());
}

/**
 * Ends a transaction that failed. The transaction's own error is what matters: a connection that cannot even roll back
 * has ended it already, and its pool closes it.
 */
export async function rollBack(runner: QueryRunner): Promise<void> {
  if (!runner.isReleased) await runner.query('rollback').catch(() => undefined);
}
