import { Module } from '@nestjs/common';
import { ScheduleBookModule } from '../schedule-book/schedule-book.module.ts';
import { RunRequestController } from './run-request.controller.ts';
import { RunRequestService } from './run-request.service.ts';

@Module({
  imports: [ScheduleBookModule],
  controllers: [RunRequestController],
  providers: [RunRequestService],
})
export class RequestsModule {}
