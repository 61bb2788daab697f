import { Module } from '@nestjs/common';
import { QueryController } from './query.controller.ts';
import { StatusController } from './status.controller.ts';

@Module({ controllers: [QueryController, StatusController] })
export class QueriesModule {}
