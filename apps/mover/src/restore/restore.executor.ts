import { describeError, type RunPlan, type Warning } from '@catena/events';
import { CLOCK, crashPoint, Log, type Clock } from '@catena/service';
import { discardStaged, type DriverRegistry, type RestoreOutcome } from '@catena/sources';
import { readableBytes, type BackupReader } from '@catena/vault';
import { Inject, Injectable } from '@nestjs/common';
import { AttemptStopped } from '../attempt/attempt-stopped.ts';
import { damageOf } from '../execution/damage-of.ts';
import type { Execution, RunExecutor, WorkDone } from '../execution/run-executor.ts';
import { SOURCE_DRIVERS } from '../execution/source-drivers.ts';
import { RepositoryOpener } from '../repository/repository-opener.ts';

type RestorePlan = Extract<RunPlan, { kind: 'restore' }>;

const WARNINGS_REPORTED = 100;

/** Writes a backup back. What an attempt has staged is there for the next; nothing is left of one that is given up. */
@Injectable()
export class RestoreExecutor implements RunExecutor<'restore'> {
  readonly kind = 'restore';

  constructor(
    @Inject(RepositoryOpener) private readonly repositories: RepositoryOpener,
    @Inject(SOURCE_DRIVERS) private readonly drivers: DriverRegistry,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  async execute(execution: Execution<RestorePlan>): Promise<WorkDone> {
    const startedAt = this.clock.now();
    const { plan, progress } = execution;
    progress.enter('restoring');
    const { repository } = await this.repositories.open(plan.repository);
    try {
      const reader = await repository.collection(plan.collection).openBackup(plan.backup);
      try {
        const outcome = await this.#restore(execution, reader);
        return reported(outcome, this.clock.now() - startedAt);
      } finally {
        await reader.close();
      }
    } catch (error) {
      this.#cleanUp(execution, error);
      throw damageOf(error, plan.backup);
    } finally {
      await repository.close();
    }
  }

  async #restore(execution: Execution<RestorePlan>, reader: BackupReader): Promise<RestoreOutcome> {
    const { plan, run, signal, progress } = execution;
    const driver = this.drivers.get(reader.manifest.source.driver);
    return await driver.restore(reader, plan.target, {
      run,
      ...(plan.include.length === 0 ? {} : { globs: plan.include }),
      overwrite: plan.overwrite,
      signal,
      progress: (state) => {
        progress.update(state);
        crashPoint('mover.during-restore');
      },
    });
  }

  /** Only an attempt that has another leaves its staging folder; one that lost its claim touches nothing. */
  #cleanUp({ plan, run, signal }: Execution<RestorePlan>, error: unknown): void {
    const stopped: unknown = signal.reason;
    const givenUp =
      stopped instanceof AttemptStopped ? stopped.reason === 'cancelled' : !describeError(error).retryable;
    if (!givenUp) return;
    try {
      discardStaged(plan.target, run);
    } catch (leftover) {
      this.log.warn('what was staged could not be removed', { target: plan.target, error: leftover });
    }
  }
}

function reported(outcome: RestoreOutcome, milliseconds: number): WorkDone {
  const { files, bytes, bytesWritten, warnings, warningCount } = outcome;
  return {
    statistics: { files, bytes, bytesRead: bytesWritten, bytesAdded: bytesWritten, milliseconds },
    warnings: warnings.slice(0, WARNINGS_REPORTED).map(({ path, code, message }): Warning => ({
      code,
      message,
      ...(path.length === 0 ? {} : { path: readableBytes(path) }),
    })),
    warningCount,
  };
}
