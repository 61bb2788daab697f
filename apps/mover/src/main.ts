import { definitionName } from '@catena/events';
import { runService, wholeNumber } from '@catena/service';
import { z } from 'zod';
import { keepHeapsSmall } from './memory/small-heaps.ts';
import { MoverModule } from './mover.module.ts';

keepHeapsSmall();

await runService({
  service: 'mover',
  configuration: z.object({
    CATENA_MOVER_SLOTS: wholeNumber(1, 64).prefault('2').describe('Runs worked on at once.'),
    CATENA_MOVER_STREAMS: wholeNumber(0, 256)
      .prefault('8')
      .describe('Logs that are streamed all the time (`log: continuous`), beside the runs.'),
    CATENA_MOVER_POOL: definitionName
      .prefault('default')
      .describe('Takes the jobs of Sources and Repositories with this `pool`.'),
    CATENA_INSTALLATION: z
      .string()
      .min(1)
      .optional()
      .describe('Owns the repositories that are made, the same for all movers. Default: told from the log.'),
  }),
  options: ({ CATENA_MOVER_SLOTS, CATENA_MOVER_STREAMS, CATENA_MOVER_POOL, CATENA_INSTALLATION }) => ({
    modules: [MoverModule.forInstallation(CATENA_INSTALLATION)],
    jobSlots: CATENA_MOVER_SLOTS,
    streamSlots: CATENA_MOVER_STREAMS,
    moverPool: CATENA_MOVER_POOL,
  }),
});
