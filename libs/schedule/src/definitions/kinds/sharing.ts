import { z } from 'zod';
import { definitionName } from '@catena/events';
import { wholeNumber } from '../shape/building-blocks.ts';

const RUNS = 'a whole number from 1';

/** How many runs may be at work at once. */
export function runsAtOnce() {
  return wholeNumber(1, RUNS);
}

const POOL = 'the name of a mover pool: lower-case letters, digits and "-", at most 63';

/** The name that movers are given with CATENA_MOVER_POOL. */
export const poolName = z
  .string({ error: POOL })
  .refine((text) => definitionName.safeParse(text).success, { error: POOL })
  .meta({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' });

/** What a Source and a Repository say about sharing movers and themselves (rule 3.11). */
export const sharingFields = {
  runsAtOnce: runsAtOnce()
    .optional()
    .describe('Most runs at work with it at once; the others wait and say so. Default: as Limits has it.'),
  pool: poolName
    .optional()
    .describe('Which movers work with it: those with this CATENA_MOVER_POOL. Default: default.'),
};
