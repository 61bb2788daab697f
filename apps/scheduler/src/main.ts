import { runService } from '@catena/service';
import { z } from 'zod';
import { schedulerModules } from './scheduler-modules.ts';

await runService({
  service: 'scheduler',
  configuration: z.object({}),
  options: () => ({ modules: schedulerModules }),
});
