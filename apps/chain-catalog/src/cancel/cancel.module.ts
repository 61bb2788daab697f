import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { CancelController } from './cancel.controller.ts';
import { CancelService } from './cancel.service.ts';

@Module({ imports: [FoundationModule], controllers: [CancelController], providers: [CancelService] })
export class CancelModule {}
