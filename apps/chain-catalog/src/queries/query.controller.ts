import { catalogRequests } from '@catena/events';
import type { Question } from '@catena/read-store';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { Projection } from '../projection/projection.ts';

/** Questions, answered from the read models. */
@Controller()
export class QueryController {
  constructor(@Inject(Projection) private readonly projection: Projection) {}

  @AnswersRequest(catalogRequests.listDefinitions)
  async definitions(question: Question<'listDefinitions'>) {
    return (await this.projection.queries()).listDefinitions(question);
  }

  @AnswersRequest(catalogRequests.listSchedules)
  async schedules(question: Question<'listSchedules'>) {
    return (await this.projection.queries()).listSchedules(question);
  }

  @AnswersRequest(catalogRequests.listRuns)
  async runs(question: Question<'listRuns'>) {
    return (await this.projection.queries()).listRuns(question);
  }

  @AnswersRequest(catalogRequests.listBackups)
  async backups(question: Question<'listBackups'>) {
    return (await this.projection.queries()).listBackups(question);
  }

  @AnswersRequest(catalogRequests.listChains)
  async chains(question: Question<'listChains'>) {
    return (await this.projection.queries()).listChains(question);
  }

  @AnswersRequest(catalogRequests.listRestorePoints)
  async restorePoints(question: Question<'listRestorePoints'>) {
    return (await this.projection.queries()).listRestorePoints(question);
  }

  @AnswersRequest(catalogRequests.listRecoveryWindows)
  async recoveryWindows(question: Question<'listRecoveryWindows'>) {
    return (await this.projection.queries()).listRecoveryWindows(question);
  }

  @AnswersRequest(catalogRequests.listKeys)
  async keys(question: Question<'listKeys'>) {
    return (await this.projection.queries()).listKeys(question);
  }
}
