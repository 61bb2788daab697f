import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { SourceOfEvent } from './source-of-event.ts';
import { SubscriptionRunner } from './subscription-runner.ts';

@Module({
  imports: [FoundationModule],
  providers: [SourceOfEvent, SubscriptionRunner],
  exports: [SubscriptionRunner],
})
export class SubscriptionsModule {}
