import { catalogRequests, type MoverReport } from '@catena/events';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { ReportService } from './report.service.ts';

/** Where movers report. */
@Controller()
export class ReportController {
  constructor(@Inject(ReportService) private readonly reports: ReportService) {}

  @AnswersRequest(catalogRequests.report)
  async report(report: MoverReport) {
    return await this.reports.accept(report);
  }
}
