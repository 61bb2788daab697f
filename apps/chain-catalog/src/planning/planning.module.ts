import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { PlannerController } from './planner.controller.ts';
import { PlannerService } from './planner.service.ts';
import { WaitNotes } from './wait-notes.ts';

@Module({
  imports: [FoundationModule],
  controllers: [PlannerController],
  providers: [PlannerService, WaitNotes],
  exports: [PlannerService],
})
export class PlanningModule {}
