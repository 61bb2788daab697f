import type { EventLog } from '@catena/event-log';
import type { ClientBase } from 'pg';
import type { QueryRunner } from 'typeorm';
import { patientDataSource, type ConnectionOptions } from '../connection/data-source.ts';
import { giveBack, tryLock } from '../migrations/advisory-locks.ts';
import { migrate, migrations } from '../migrations/migrate.ts';
import { bulkLoad } from './bulk-load.ts';
import { digestOf, type ReadModelDigest } from './digest.ts';
import { enterGeneration, schemaName } from './generation.ts';
import { beginGeneration, dropLeftovers } from './make-generation.ts';
import { RebuildRunningError } from './rebuild.ts';

/** Whether the read models are what the log says. */
export interface VerifyResult {
  /** Log sequence up to which they were compared. */
  readonly sequence: number;
  readonly identical: boolean;
  /** Tables whose rows differ. */
  readonly differing: readonly string[];
}

/**
 * Projects the log into a copy of its own and compares that with the live one, which stays as it is.
 * @param live digest of the live copy
 * @throws RebuildRunningError when somebody rebuilds, because both need the same place
 */
export async function verifyAgainstLog(
  connection: ConnectionOptions,
  log: EventLog,
  live: ReadModelDigest,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const dataSource = await patientDataSource(connection).initialize();
  try {
    const runner = dataSource.createQueryRunner();
    const client = (await runner.connect()) as ClientBase;
    if (!(await tryLock(client, 'rebuild'))) throw new RebuildRunningError();
    await dropLeftovers(runner);
    const generation = await beginGeneration(runner);
    try {
      await migrate(connection, schemaName(generation), migrations.tables);
      const through = live.sequence;
      if (through > 0) {
        await bulkLoad(dataSource, runner, { log, generation, through, signal, onProgress: () => undefined });
      }
      const fresh = await digestIn(runner, generation, through);
      const differing = Object.keys(live.tables).filter(
        (table) => live.tables[table]?.digest !== fresh.tables[table]?.digest,
      );
      return { sequence: through, identical: live.digest === fresh.digest, differing };
    } finally {
      // What cannot be dropped now is dropped by the next rebuild or start.
      if (!runner.isReleased) await dropLeftovers(runner).catch(() => undefined);
      await giveBack(client, 'rebuild');
    }
  } finally {
    await dataSource.destroy();
  }
}

async function digestIn(runner: QueryRunner, generation: number, sequence: number): Promise<ReadModelDigest> {
  await runner.query('begin');
  await enterGeneration(runner, generation);
  const digest = await digestOf(runner, sequence);
  await runner.query('commit');
  return digest;
}
