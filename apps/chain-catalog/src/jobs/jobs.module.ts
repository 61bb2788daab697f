import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { PlanningModule } from '../planning/planning.module.ts';
import { Reconciler } from './reconciler.ts';

@Module({ imports: [FoundationModule, PlanningModule], providers: [Reconciler] })
export class JobsModule {}
