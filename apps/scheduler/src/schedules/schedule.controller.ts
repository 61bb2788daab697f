import { schedulerRequests, type Cadence } from '@catena/events';
import { AnswersRequest } from '@catena/service';
import { Controller, Inject } from '@nestjs/common';
import { ScheduleService, type ScheduleCommand } from './schedule.service.ts';

@Controller()
export class ScheduleController {
  constructor(@Inject(ScheduleService) private readonly schedules: ScheduleService) {}

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
