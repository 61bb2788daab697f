import type { RunPlan, SweptReport, Warning } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import { CLOCK, EVENT_LOG, Log, type Clock } from '@catena/service';
import type { Leftover, SweepReport } from '@catena/vault';
import { Inject, Injectable } from '@nestjs/common';
import type { Execution, RunExecutor, WorkDone } from '../execution/run-executor.ts';
import { Installation } from '../repository/installation.ts';
import { RepositoryOpener } from '../repository/repository-opener.ts';
import { RunStandings } from './run-standings.ts';

type SweepPlan = Extract<RunPlan, { kind: 'sweep' }>;

const ROWS_REPORTED = 100;

/**
 * Removes what interrupted runs have left in a repository: what no manifest lists, of runs that the log says are over. No
 * key is needed. Any number of sweepers may do the same at once, or after each other.
 */
@Injectable()
export class SweepExecutor implements RunExecutor<'sweep'> {
  readonly kind = 'sweep';

  constructor(
    @Inject(RepositoryOpener) private readonly repositories: RepositoryOpener,
    @Inject(Installation) private readonly installation: Installation,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  async execute(execution: Execution<SweepPlan>): Promise<WorkDone> {
    const { plan, run, signal, progress } = execution;
    const startedAt = this.clock.now();
    progress.enter('deleting');
    const repository = await this.repositories.openWithoutKeys(plan.repository);
    try {
      const standings = await RunStandings.asOf(this.eventLog, run, plan.grace);
      const report = await repository.sweep({
        installation: await this.installation.id(),
        standingOf: (one) => standings.of(one),
        idleMilliseconds: plan.grace,
        dryRun: plan.dryRun,
        signal,
        assertHeld: () => execution.assertHeld(),
        onProgress: ({ objects, bytes }) => progress.update({ files: objects, bytes }),
      });
      const { objects, bytes } = report;
      this.log.info('swept', { dryRun: plan.dryRun, objects, bytes, left: report.left.length });
      return {
        statistics: {
          files: objects,
          bytes,
          bytesRead: 0,
          bytesAdded: 0,
          milliseconds: this.clock.now() - startedAt,
        },
        warnings: report.unsure.slice(0, ROWS_REPORTED).map(warningOf),
        warningCount: report.unsure.length,
        swept: reported(report),
      };
    } finally {
      await repository.close();
    }
  }
}

function reported({ objects, bytes, swept, left, unsure, unfinished }: SweepReport): SweptReport {
  const row = ({ collection, run, objects: count, bytes: size }: Leftover) => ({
    ...{ collection, run },
    ...{ objects: count, bytes: size },
  });
  return {
    objects,
    bytes,
    runs: swept.slice(0, ROWS_REPORTED).map(row),
    left: left.slice(0, ROWS_REPORTED).map((one) => ({ ...row(one), standing: one.standing })),
    unsure: unsure.slice(0, ROWS_REPORTED),
    unfinished,
  };
}

function warningOf({ collection, manifest }: { collection: string; manifest: string }): Warning {
  return {
    code: 'sweep.unsure',
    message: `Nothing of collection ${collection} was touched: ${manifest} cannot be read, so what it needs is not known. Run catena verify.`,
  };
}
