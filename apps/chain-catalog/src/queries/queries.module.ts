import { Module } from '@nestjs/common';
import { RetentionModule } from '../retention/retention.module.ts';
import { SubscriptionsModule } from '../subscriptions/subscriptions.module.ts';
import { QueryController } from './query.controller.ts';
import { StatusController } from './status.controller.ts';

@Module({
  imports: [RetentionModule, SubscriptionsModule],
  controllers: [QueryController, StatusController],
})
export class QueriesModule {}
