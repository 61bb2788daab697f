import { Module } from '@nestjs/common';
import { ScheduleBook } from './schedule-book.ts';

@Module({ providers: [ScheduleBook], exports: [ScheduleBook] })
export class ScheduleBookModule {}
