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
  definitions(question: Question<'listDefinitions'>) {
    return this.projection.queries.listDefinitions(question);
  }

  @AnswersRequest(catalogRequests.listSchedules)
  schedules(question: Question<'listSchedules'>) {
    return this.projection.queries.listSchedules(question);
  }

  @AnswersRequest(catalogRequests.listRuns)
  runs(question: Question<'listRuns'>) {
    return this.projection.queries.listRuns(question);
  }

  @AnswersRequest(catalogRequests.listBackups)
  backups(question: Question<'listBackups'>) {
    return this.projection.queries.listBackups(question);
  }

  @AnswersRequest(catalogRequests.listChains)
  chains(question: Question<'listChains'>) {
    return this.projection.queries.listChains(question);
  }

  @AnswersRequest(catalogRequests.listRestorePoints)
  restorePoints(question: Question<'listRestorePoints'>) {
    return this.projection.queries.listRestorePoints(question);
  }

  @AnswersRequest(catalogRequests.listKeys)
  keys(question: Question<'listKeys'>) {
    return this.projection.queries.listKeys(question);
  }
}
