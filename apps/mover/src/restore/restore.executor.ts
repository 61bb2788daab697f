import { describeError, type RunPlan, type Warning } from '@catena/events';
import { restoreLimitsOf } from '@catena/schedule';
import { CLOCK, crashPoint, Log, type Clock } from '@catena/service';
import {
  discardStaged,
  restorePartsWith,
  type DriverRegistry,
  type LogToRoll,
  type RestoreOptions,
  type RestoreOutcome,
} from '@catena/sources';
import { readableBytes, type BackupReader } from '@catena/vault';
import { Inject, Injectable } from '@nestjs/common';
import { AttemptStopped } from '../attempt/attempt-stopped.ts';
import { damageOf } from '../execution/damage-of.ts';
import { RunLimits } from '../execution/data-limits.ts';
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
    await using open = new AsyncDisposableStack();
    const { repository } = await this.repositories.open(plan.repository);
    open.defer(() => repository.close());
    try {
      const collection = repository.collection(plan.collection);
      const limits = new RunLimits(restoreLimitsOf(plan.source.spec, plan.repository.spec), execution.signal);
      const reader = await collection.openBackup(plan.backup, limits.reading);
      open.defer(() => reader.close());
      const logs = (await collection.backups(plan.logs ?? [])).map(({ manifest, ref }): LogToRoll => ({
        manifest,
        open: () => collection.openBackup({ backupId: ref.backupId, name: ref.name }, limits.reading),
      }));
      const outcome = await this.#restore(execution, reader, logs, limits);
      return reported(outcome, this.clock.now() - startedAt);
    } catch (error) {
      if (await isGivenUp(execution, error)) this.#discard(execution);
      throw damageOf(error, plan.backup);
    }
  }

  async #restore(
    execution: Execution<RestorePlan>,
    reader: BackupReader,
    logs: readonly LogToRoll[],
    limits: RunLimits,
  ): Promise<RestoreOutcome> {
    const { plan, run, signal, progress } = execution;
    const driver = this.drivers.get(reader.manifest.source.driver);
    const options: RestoreOptions = {
      run,
      ...(logs.length === 0 ? {} : { logs }),
      ...(plan.stop === undefined ? {} : { stop: plan.stop }),
      ...(plan.include.length === 0 ? {} : { globs: plan.include }),
      overwrite: plan.overwrite,
      limits: limits.restoring,
      ...(plan.ownership === undefined ? {} : { ownership: plan.ownership }),
      ...(plan.delta === undefined ? {} : { delta: plan.delta }),
      ...(plan.cluster === undefined ? {} : { cluster: plan.cluster }),
      onFailure: async (error) => ((await isGivenUp(execution, error)) ? 'remove' : 'keep'),
      beforeVisible: () => execution.assertHeld(),
      signal,
      progress: (state) => {
        progress.update(state);
        crashPoint('mover.during-restore');
      },
    };
    if (plan.parts === undefined) return await driver.restore(reader, plan.target, options);
    return await restorePartsWith(driver, reader, plan.parts, options);
  }

  #discard({ plan, run }: Execution<RestorePlan>): void {
    if (plan.parts !== undefined) return;
    try {
      discardStaged(plan.target, run);
    } catch (leftover) {
      this.log.warn('what was staged could not be removed', { target: plan.target, error: leftover });
    }
  }
}

/**
 * Whether there will be no further attempt, so that nothing is to be left behind. One that lost its claim touches
 * nothing: what is staged is its successor's. The log says so; while it cannot be read, nothing is given up.
 */
async function isGivenUp(execution: Execution<RestorePlan>, error: unknown): Promise<boolean> {
  try {
    await execution.assertHeld();
    return !describeError(error).retryable;
  } catch (lost) {
    return lost instanceof AttemptStopped && lost.reason === 'cancelled';
  }
}

function reported(outcome: RestoreOutcome, milliseconds: number): WorkDone {
  const { files, bytes, bytesWritten, warnings, warningCount, cluster } = outcome;
  return {
    statistics: { files, bytes, bytesRead: bytesWritten, bytesAdded: bytesWritten, milliseconds },
    warnings: warnings.slice(0, WARNINGS_REPORTED).map(({ path, code, message }): Warning => ({
      code,
      message,
      ...(path.length === 0 ? {} : { path: readableBytes(path) }),
    })),
    warningCount,
    ...(cluster === undefined ? {} : { cluster: { ...cluster } }),
  };
}
