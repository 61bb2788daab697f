import { Module } from '@nestjs/common';
import { ScheduleBookModule } from '../schedule-book/schedule-book.module.ts';
import { BookKeeping } from './book-keeping.ts';
import { Foresight } from './foresight.ts';
import { RunWatch } from './run-watch.ts';
import { Ticker } from './ticker.ts';
import { Turn } from './turn.ts';

@Module({
  imports: [ScheduleBookModule],
  providers: [Turn, Foresight, Ticker, RunWatch, BookKeeping],
  exports: [Ticker, RunWatch],
})
export class TickModule {}
