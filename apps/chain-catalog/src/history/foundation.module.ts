import { Module } from '@nestjs/common';
import { JobBoard } from '../jobs/job-board.ts';
import { LogView } from '../log-view/log-view.ts';
import { Histories } from './histories.ts';

/** What every feature of the catalog stands on: aggregates, the view that finds them, and the queue. */
@Module({ providers: [Histories, LogView, JobBoard], exports: [Histories, LogView, JobBoard] })
export class FoundationModule {}
