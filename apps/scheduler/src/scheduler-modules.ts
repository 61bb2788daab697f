import type { Type } from '@nestjs/common';
import { DefinitionsModule } from './definitions/definitions.module.ts';
import { RequestsModule } from './requests/requests.module.ts';
import { SchedulesModule } from './schedules/schedules.module.ts';
import { TickModule } from './tick/tick.module.ts';

/** Everything the scheduler does. */
export const schedulerModules: readonly Type[] = [
  DefinitionsModule,
  SchedulesModule,
  RequestsModule,
  TickModule,
];
