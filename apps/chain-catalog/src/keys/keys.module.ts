import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { KeyController } from './key.controller.ts';
import { KeyService } from './key.service.ts';

@Module({ imports: [FoundationModule], controllers: [KeyController], providers: [KeyService] })
export class KeysModule {}
