import { z } from 'zod';
import { fields } from '../shape/building-blocks.ts';
import { poolName, runsAtOnce } from './sharing.ts';

/** There is one set of limits, and it has this name. */
export const LIMITS_NAME = 'platform';

/** How many runs may be at work at once (rule 3.11). What is not said is not limited. */
export const limitsSpec = fields({
  runsAtOnce: runsAtOnce().optional().describe('In all.'),
  perSource: runsAtOnce().optional().describe('With each source that says nothing itself.'),
  perRepository: runsAtOnce().optional().describe('At each repository that says nothing itself.'),
  pools: z
    .record(poolName, runsAtOnce(), { error: 'a map of mover pools and whole numbers from 1' })
    .optional()
    .describe('In mover pools, by name.'),
}).meta({ title: 'Limits' });

export type LimitsSpec = z.infer<typeof limitsSpec>;
