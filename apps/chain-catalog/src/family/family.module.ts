import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { FamilyController } from './family.controller.ts';
import { FamilyService } from './family.service.ts';

@Module({ imports: [FoundationModule], controllers: [FamilyController], providers: [FamilyService] })
export class FamilyModule {}
