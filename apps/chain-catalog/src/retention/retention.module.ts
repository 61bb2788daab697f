import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { KeepService } from './keep.service.ts';
import { RetentionController } from './retention.controller.ts';
import { RetentionService } from './retention.service.ts';
import { RetentionView } from './retention-view.ts';

@Module({
  imports: [FoundationModule],
  controllers: [RetentionController],
  providers: [RetentionView, RetentionService, KeepService],
  exports: [RetentionService],
})
export class RetentionModule {}
