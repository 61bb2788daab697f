import { Module, type DynamicModule } from '@nestjs/common';
import { AttemptService } from './attempt/attempt.service.ts';
import { RunLog } from './attempt/run-log.ts';
import { RUN_EXECUTORS, type AnyRunExecutor } from './execution/run-executor.ts';
import { JobController } from './job/job.controller.ts';
import { Reporter } from './report/reporter.ts';

/** The mover around the kinds of work it is given. */
@Module({})
export class MoverModule {
  static with(executors: readonly AnyRunExecutor[]): DynamicModule {
    return {
      module: MoverModule,
      controllers: [JobController],
      providers: [AttemptService, RunLog, Reporter, { provide: RUN_EXECUTORS, useValue: executors }],
    };
  }
}
