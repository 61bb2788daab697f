import { catalogRequests } from '@catena/events';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { KeepService, type KeepCommand } from './keep.service.ts';

/** Where people decide about single backups. */
@Controller()
export class RetentionController {
  constructor(@Inject(KeepService) private readonly keeping: KeepService) {}

  @AnswersRequest(catalogRequests.keepBackup)
  async keep(command: KeepCommand) {
    return await this.keeping.keep(command);
  }

  @AnswersRequest(catalogRequests.unkeepBackup)
  async unkeep(command: KeepCommand) {
    return await this.keeping.unkeep(command);
  }
}
