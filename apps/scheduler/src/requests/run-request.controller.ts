import { schedulerRequests, type RunRequest } from '@catena/events';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { RunRequestService, type BackupWish, type RunCommand } from './run-request.service.ts';

type Asked<K extends RunRequest['kind']> = RunCommand & Omit<Extract<RunRequest, { kind: K }>, 'kind'>;

@Controller()
export class RunRequestController {
  constructor(@Inject(RunRequestService) private readonly requests: RunRequestService) {}

  @AnswersRequest(schedulerRequests.requestBackup)
  async backup({ commandId, actor, ...wish }: RunCommand & BackupWish) {
    return await this.requests.backup({ commandId, actor }, wish);
  }

  @AnswersRequest(schedulerRequests.requestRestore)
  async restore({ commandId, actor, ...request }: Asked<'restore'>) {
    return await this.requests.ask({ commandId, actor }, { kind: 'restore', ...request });
  }

  @AnswersRequest(schedulerRequests.requestVerify)
  async verify({ commandId, actor, ...request }: Asked<'verify'>) {
    return await this.requests.ask({ commandId, actor }, { kind: 'verify', ...request });
  }

  @AnswersRequest(schedulerRequests.requestRescan)
  async rescan({ commandId, actor, ...request }: Asked<'rescan'>) {
    return await this.requests.ask({ commandId, actor }, { kind: 'rescan', ...request });
  }

  @AnswersRequest(schedulerRequests.requestSweep)
  async sweep({ commandId, actor, ...request }: Asked<'sweep'>) {
    return await this.requests.ask({ commandId, actor }, { kind: 'sweep', ...request });
  }
}
