import { runService, wholeNumber } from '@catena/service';
import { z } from 'zod';
import { MoverModule } from './mover.module.ts';

await runService({
  service: 'mover',
  configuration: z.object({
    CATENA_MOVER_SLOTS: wholeNumber(1, 64).prefault('2').describe('Runs worked on at once.'),
    CATENA_INSTALLATION: z
      .string()
      .min(1)
      .optional()
      .describe('Owns the repositories that are made, the same for all movers. Default: told from the log.'),
  }),
  options: ({ CATENA_MOVER_SLOTS, CATENA_INSTALLATION }) => ({
    modules: [MoverModule.forInstallation(CATENA_INSTALLATION)],
    jobSlots: CATENA_MOVER_SLOTS,
  }),
});
