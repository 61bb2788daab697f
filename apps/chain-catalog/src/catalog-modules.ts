import type { Type } from '@nestjs/common';
import { CancelModule } from './cancel/cancel.module.ts';
import { FamilyModule } from './family/family.module.ts';
import { JobsModule } from './jobs/jobs.module.ts';
import { KeysModule } from './keys/keys.module.ts';
import { PlanningModule } from './planning/planning.module.ts';
import { ReportModule } from './report/report.module.ts';
import { RetentionModule } from './retention/retention.module.ts';
import { SubscriptionsModule } from './subscriptions/subscriptions.module.ts';
import { SweepModule } from './sweep/sweep.module.ts';

/** What the catalog decides and does; needs the log, but no database. */
export const decidingModules: readonly Type[] = [
  PlanningModule,
  ReportModule,
  JobsModule,
  CancelModule,
  KeysModule,
  FamilyModule,
  RetentionModule,
  SubscriptionsModule,
  SweepModule,
];
