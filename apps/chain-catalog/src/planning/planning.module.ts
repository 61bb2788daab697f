import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { PlannerController } from './planner.controller.ts';
import { PlannerService } from './planner.service.ts';

@Module({
  imports: [FoundationModule],
  controllers: [PlannerController],
  providers: [PlannerService],
  exports: [PlannerService],
})
export class PlanningModule {}
