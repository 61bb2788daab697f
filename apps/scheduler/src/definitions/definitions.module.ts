import { Module } from '@nestjs/common';
import { ScheduleBookModule } from '../schedule-book/schedule-book.module.ts';
import { DefinitionController } from './definition.controller.ts';
import { DefinitionService } from './definition.service.ts';

@Module({
  imports: [ScheduleBookModule],
  controllers: [DefinitionController],
  providers: [DefinitionService],
})
export class DefinitionsModule {}
