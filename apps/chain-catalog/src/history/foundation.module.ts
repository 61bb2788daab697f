import { Module } from '@nestjs/common';
import { JobBoard } from '../jobs/job-board.ts';
import { CatalogFollower } from '../log-view/catalog-follower.ts';
import { LogView } from '../log-view/log-view.ts';
import { Histories } from './histories.ts';

/** What every feature of the catalog stands on: aggregates, the view that finds them, and the queue. */
@Module({
  providers: [Histories, CatalogFollower, LogView, JobBoard],
  exports: [Histories, CatalogFollower, LogView, JobBoard],
})
export class FoundationModule {}
