import { Module } from '@nestjs/common';
import { FoundationModule } from '../history/foundation.module.ts';
import { ReportController } from './report.controller.ts';
import { ReportService } from './report.service.ts';

@Module({ imports: [FoundationModule], controllers: [ReportController], providers: [ReportService] })
export class ReportModule {}
