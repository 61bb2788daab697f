import { Module } from '@nestjs/common';
import { ScheduleBookModule } from '../schedule-book/schedule-book.module.ts';
import { Ticker } from './ticker.ts';

@Module({ imports: [ScheduleBookModule], providers: [Ticker], exports: [Ticker] })
export class TickModule {}
