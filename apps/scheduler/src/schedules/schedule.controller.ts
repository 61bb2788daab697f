import { schedulerRequests, type Cadence } from '@catena/events';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { StatusService, type StatusQuestion } from './status.service.ts';
import { ScheduleService, type ScheduleCommand } from './schedule.service.ts';

@Controller()
export class ScheduleController {
  constructor(
    @Inject(ScheduleService) private readonly schedules: ScheduleService,
    @Inject(StatusService) private readonly status: StatusService,
  ) {}

  @AnswersRequest(schedulerRequests.listScheduleStatus)
  async list(question: StatusQuestion) {
    return await this.status.list(question);
  }

  @AnswersRequest(schedulerRequests.describeSchedule)
  async describe(question: { name: string; next?: number | undefined; last?: number | undefined }) {
    return await this.status.describe(question);
  }

  @AnswersRequest(schedulerRequests.backfillSchedule)
  async backfill(command: Parameters<ScheduleService['backfill']>[0]) {
    return await this.schedules.backfill(command);
  }

  @AnswersRequest(schedulerRequests.pauseSchedule)
  async pause(command: ScheduleCommand & { reason?: string | undefined }) {
    return await this.schedules.pause(command);
  }

  @AnswersRequest(schedulerRequests.resumeSchedule)
  async resume(command: ScheduleCommand) {
    return await this.schedules.resume(command);
  }

  @AnswersRequest(schedulerRequests.runSchedule)
  async run(command: ScheduleCommand & { cadence?: Cadence | undefined }) {
    return await this.schedules.run(command);
  }
}
