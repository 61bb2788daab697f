import { catalogRequests } from '@catena/events';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { FamilyService, type AcceptFamily } from './family.service.ts';

@Controller()
export class FamilyController {
  constructor(@Inject(FamilyService) private readonly families: FamilyService) {}

  @AnswersRequest(catalogRequests.acceptFamily)
  async accept(command: AcceptFamily) {
    return await this.families.accept(command);
  }
}
