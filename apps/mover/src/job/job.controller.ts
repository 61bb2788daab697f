import type { TakenJob } from '@catena/event-log';
import { HandlerContext, HandlesJobs } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { AttemptService } from '../attempt/attempt.service.ts';

/** Where jobs come in. */
@Controller()
export class JobController {
  constructor(@Inject(AttemptService) private readonly attempts: AttemptService) {}

  @HandlesJobs({ kinds: ['backup', 'compose', 'restore', 'verify', 'rescan', 'prune', 'sweep'] })
  async work(@Payload() job: TakenJob, @Ctx() context: HandlerContext): Promise<void> {
    await this.attempts.work(job, context.stopping);
  }

  @HandlesJobs({ kinds: ['stream'], slots: 'streams' })
  async stream(@Payload() job: TakenJob, @Ctx() context: HandlerContext): Promise<void> {
    await this.attempts.work(job, context.stopping);
  }
}
