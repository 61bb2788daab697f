import { Module } from '@nestjs/common';
import { ScheduleBookModule } from '../schedule-book/schedule-book.module.ts';
import { ScheduleController } from './schedule.controller.ts';
import { ScheduleService } from './schedule.service.ts';
import { StatusService } from './status.service.ts';

@Module({
  imports: [ScheduleBookModule],
  controllers: [ScheduleController],
  providers: [ScheduleService, StatusService],
})
export class SchedulesModule {}
