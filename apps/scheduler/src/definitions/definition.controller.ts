import { schedulerRequests } from '@catena/events';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { DefinitionService, type ApplyCommand, type DeleteCommand } from './definition.service.ts';

@Controller()
export class DefinitionController {
  constructor(@Inject(DefinitionService) private readonly definitions: DefinitionService) {}

  @AnswersRequest(schedulerRequests.applyDefinitions)
  async apply(command: ApplyCommand) {
    return await this.definitions.apply(command);
  }

  @AnswersRequest(schedulerRequests.deleteDefinition)
  async delete(command: DeleteCommand) {
    return await this.definitions.delete(command);
  }
}
