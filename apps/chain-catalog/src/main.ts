import { runService, secretText } from '@catena/service';
import { z } from 'zod';
import { decidingModules } from './catalog-modules.ts';
import { ProjectionModule } from './projection/projection.module.ts';
import { QueriesModule } from './queries/queries.module.ts';

await runService({
  service: 'chain-catalog',
  configuration: z.object({ CATENA_DATABASE_URL: secretText }),
  options: ({ CATENA_DATABASE_URL }) => ({
    modules: [ProjectionModule.at(CATENA_DATABASE_URL), QueriesModule, ...decidingModules],
  }),
});
