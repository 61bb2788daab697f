import { CatenaError, type BackupPlan, type Warning } from '@catena/events';
import { dataLimitsOf, driverSpecOf, readSourceSpec } from '@catena/schedule';
import { CLOCK, crashPoint, Log, type Clock } from '@catena/service';
import type {
  BackupOptions,
  BackupOutcome,
  DriverProgress,
  DriverRegistry,
  LogBackupOptions,
  SourceDriver,
  SourceTotals,
} from '@catena/sources';
import {
  readableBytes,
  WritingReserve,
  type BackupWriter,
  type Collection,
  type FinishedBackup,
} from '@catena/vault';
import { Inject, Injectable } from '@nestjs/common';
import { damageOf } from '../execution/damage-of.ts';
import { RunLimits } from '../execution/data-limits.ts';
import { manifestReportOf } from '../execution/manifest-report.ts';
import type { Execution, RunExecutor, WorkDone } from '../execution/run-executor.ts';
import { SOURCE_DRIVERS } from '../execution/source-drivers.ts';
import { RepositoryOpener, type OpenedRepository } from '../repository/repository-opener.ts';
import { checkSpace } from '../space/repository-space.ts';
import { expectedTotals } from './expected-totals.ts';

const WARNINGS_REPORTED = 100;

/** Reads a source into a repository. The manifest is the commit point; one that is there is adopted (architecture.md section 5). */
@Injectable()
export class BackupExecutor implements RunExecutor<'backup'> {
  readonly kind = 'backup';
  /** Kept from run to run. */
  readonly #reserve = new WritingReserve();

  constructor(
    @Inject(RepositoryOpener) private readonly repositories: RepositoryOpener,
    @Inject(SOURCE_DRIVERS) private readonly drivers: DriverRegistry,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Log) private readonly log: Log,
  ) {}

  async execute(execution: Execution<BackupPlan>): Promise<WorkDone> {
    const startedAt = this.clock.now();
    const opened = await this.repositories.openForWriting(execution.plan.repository);
    try {
      const collection = opened.repository.collection(execution.plan.collection);
      const before = await collection.adopt(execution.run);
      if (before !== undefined)
        this.log.info('adopted the manifest of an earlier attempt', { name: before.name });
      const { plan, run } = execution;
      const warnings = before === undefined ? await checkSpace(opened.repository, collection, plan, run) : [];
      const finished = before ?? (await this.#make(execution, collection, opened, startedAt));
      const done = await this.#report(finished, collection, opened, startedAt);
      return {
        ...done,
        warnings: [...warnings, ...done.warnings],
        warningCount: done.warningCount + warnings.length,
      };
    } catch (error) {
      throw damageOf(error, execution.plan.parent ?? execution.plan.base ?? execution.plan.backup);
    } finally {
      await opened.repository.close();
    }
  }

  async #make(
    execution: Execution<BackupPlan>,
    collection: Collection,
    opened: OpenedRepository,
    startedAt: number,
  ): Promise<FinishedBackup> {
    const { plan, run, attempt, signal } = execution;
    const spec = readSourceSpec(plan.source.spec);
    const driver = this.drivers.get(spec.driver);
    if (plan.type === 'log' && driver.log === undefined) throw keepsNoLog(plan);
    const driverSpec = driverSpecOf(spec);
    await driver.check(driverSpec, { repositoryFolder: opened.folder });
    const family = await driver.family(driverSpec);
    if (plan.family !== undefined && plan.family !== family) throw familyChanged(plan, family);
    const writer = await collection.beginBackup(
      {
        backupId: plan.backup,
        run,
        attempt,
        type: plan.type,
        copyOnly: plan.copyOnly,
        source: { name: plan.source.name, uid: plan.source.uid, family, driver: driver.name },
        startedAt: new Date(startedAt),
        ...(plan.type === 'incremental' && plan.parent !== undefined ? { parent: plan.parent } : {}),
        ...(plan.type === 'differential' && plan.base !== undefined ? { base: plan.base } : {}),
      },
      {
        ...{ signal, reserve: this.#reserve },
        ...new RunLimits(dataLimitsOf(plan.source.spec, plan.repository.spec), signal).writing,
      },
    );
    try {
      const expected = await expectedTotals(collection, plan);
      return await this.#write(execution, writer, driver, driverSpec, expected);
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  async #write(
    execution: Execution<BackupPlan>,
    writer: BackupWriter,
    driver: SourceDriver,
    driverSpec: unknown,
    expected: SourceTotals | undefined,
  ): Promise<FinishedBackup> {
    const { plan, signal, progress } = execution;
    progress.enter('reading');
    const options = {
      signal,
      collection: plan.collection,
      copyOnly: plan.copyOnly,
      ...(expected === undefined ? {} : { expected }),
      progress: (state: DriverProgress) => {
        progress.update(state);
        crashPoint('mover.during-backup');
      },
    };
    const { summary } =
      plan.type === 'log'
        ? await backupLog(driver, driverSpec, writer, plan, {
            ...options,
            alarm: (alarm) => execution.alarm(alarm),
          })
        : await driver.backup(driverSpec, writer, options);
    progress.enter('writing');
    await execution.assertHeld();
    crashPoint('mover.before-manifest');
    // Only a source with a log has a coordinate of its own; for the others the plan's sequence is one.
    const reserved = driver.capabilities.givesLogs ? undefined : plan.position;
    const position = reserved === undefined ? summary.position : { end: reserved };
    const finished = await writer.finish({ ...summary, ...(position === undefined ? {} : { position }) });
    crashPoint('mover.after-manifest');
    return finished;
  }

  async recorded(plan: BackupPlan, { manifest }: WorkDone): Promise<void> {
    if (plan.type !== 'log' || plan.copyOnly || manifest === undefined) return;
    // The next one of a stream begins at once, and says with its beginning what was recorded.
    if (plan.stream !== undefined) return;
    const spec = readSourceSpec(plan.source.spec);
    const { collection } = plan;
    crashPoint('mover.before-release');
    await this.drivers.get(spec.driver).log?.release(driverSpecOf(spec), {
      collection,
      position: manifest.position,
      ...(manifest.fork === undefined ? {} : { fork: manifest.fork }),
    });
  }

  async #report(
    finished: FinishedBackup,
    collection: Collection,
    { news }: OpenedRepository,
    startedAt: number,
  ): Promise<WorkDone> {
    const { manifest } = finished;
    const { files, bytes, bytesRead, bytesStored } = manifest.statistics;
    return {
      statistics: {
        files,
        bytes,
        bytesRead,
        bytesAdded: bytesStored,
        milliseconds: this.clock.now() - startedAt,
      },
      manifest: manifestReportOf({ ref: finished, manifest }),
      warnings: manifest.warnings === 0 ? [] : await warningsOf(collection, manifest.backup),
      warningCount: manifest.warnings,
      ...news,
    };
  }
}

async function backupLog(
  driver: SourceDriver,
  driverSpec: unknown,
  writer: BackupWriter,
  plan: BackupPlan,
  options: BackupOptions & Pick<LogBackupOptions, 'alarm'>,
): Promise<BackupOutcome> {
  const { collection, start, fork, copyOnly, stream } = plan;
  if (driver.log === undefined || start === undefined) throw keepsNoLog(plan);
  return await driver.log.backup(driverSpec, writer, {
    ...options,
    collection,
    start,
    copyOnly,
    ...(fork === undefined ? {} : { fork }),
    ...(stream === undefined ? {} : { stream }),
  });
}

async function warningsOf(collection: Collection, backup: string): Promise<Warning[]> {
  const reader = await collection.openBackup(backup);
  try {
    const warnings: Warning[] = [];
    for await (const { path, code, message } of reader.warnings()) {
      warnings.push({ code, message, ...(path.length === 0 ? {} : { path: readableBytes(path) }) });
      if (warnings.length === WARNINGS_REPORTED) break;
    }
    return warnings;
  } finally {
    await reader.close();
  }
}

function familyChanged({ source, repository, family }: BackupPlan, now: string): CatenaError {
  return new CatenaError(
    'chain.family-changed',
    `The source ${source.name} is not what its chains in ${repository.name} were taken from: they are of ${family}, it is ${now}.`,
    {
      remedy: `To go on with a new chain: catena accept ${source.name} --repository ${repository.name} --family '${now}'. Else define it as a new source. Nothing was changed.`,
    },
  );
}

function keepsNoLog({ source }: BackupPlan): CatenaError {
  return new CatenaError('chain.source-keeps-no-log', `The source ${source.name} keeps no log to back up.`, {
    remedy: 'Use incremental backups for it.',
  });
}
