import { catalogRequests } from '@catena/events';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { CancelService, type CancelCommand } from './cancel.service.ts';

@Controller()
export class CancelController {
  constructor(@Inject(CancelService) private readonly runs: CancelService) {}

  @AnswersRequest(catalogRequests.cancelRun)
  async cancel(command: CancelCommand) {
    return await this.runs.cancel(command);
  }
}
