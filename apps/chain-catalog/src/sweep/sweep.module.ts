import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { LeftoverView } from './leftover-view.ts';
import { SweepService } from './sweep.service.ts';

@Module({ imports: [FoundationModule], providers: [LeftoverView, SweepService] })
export class SweepModule {}
