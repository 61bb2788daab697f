import { sourceDrivers } from '@catena/sources';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AttemptService } from './attempt/attempt.service.ts';
import { RunLog } from './attempt/run-log.ts';
import { BackupExecutor } from './backup/backup.executor.ts';
import { ComposeExecutor } from './compose/compose.executor.ts';
import { RUN_EXECUTORS, type AnyRunExecutor } from './execution/run-executor.ts';
import { SOURCE_DRIVERS } from './execution/source-drivers.ts';
import { JobController } from './job/job.controller.ts';
import { PruneExecutor } from './prune/prune.executor.ts';
import { Reporter } from './report/reporter.ts';
import { Installation, INSTALLATION_NAME } from './repository/installation.ts';
import { KnownRepositories } from './repository/known-repository.ts';
import { RepositoryOpener } from './repository/repository-opener.ts';
import { RescanExecutor } from './rescan/rescan.executor.ts';
import { SweepExecutor } from './sweep/sweep.executor.ts';
import { RestoreExecutor } from './restore/restore.executor.ts';
import { ScratchSweep } from './restore/scratch-sweep.ts';
import { VerifyExecutor } from './verify/verify.executor.ts';

const executors = [
  BackupExecutor,
  ComposeExecutor,
  RestoreExecutor,
  VerifyExecutor,
  RescanExecutor,
  PruneExecutor,
  SweepExecutor,
];

/** The mover around the kinds of work it is given. */
@Module({})
export class MoverModule {
  /** Every kind of work, on the drivers and stores that come with Catena. */
  static forInstallation(name: string | undefined): DynamicModule {
    return MoverModule.with([
      ...executors,
      RepositoryOpener,
      Installation,
      KnownRepositories,
      ScratchSweep,
      { provide: INSTALLATION_NAME, useValue: name },
      { provide: SOURCE_DRIVERS, useValue: sourceDrivers },
      {
        provide: RUN_EXECUTORS,
        inject: executors,
        useFactory: (...all: AnyRunExecutor[]) => all,
      },
    ]);
  }

  /** Other work; one of the providers is `RUN_EXECUTORS`. */
  static with(work: readonly Provider[]): DynamicModule {
    return {
      module: MoverModule,
      controllers: [JobController],
      providers: [AttemptService, RunLog, Reporter, ...work],
    };
  }
}
