import { z } from 'zod';

/**
 * Aggregate `limits`, id `platform`: who was let in under limits on what runs at once (rule 3.11). Appended by the chain
 * catalog together with the plan, expecting the one before: of two catalogs that see the same free place one wins.
 */
export const limitsEvents = {
  'limits.run-admitted': z
    .object({
      run: z.string(),
      places: z
        .array(z.string())
        .describe(
          'What it takes a place of: `platform`, `pool/<name>`, `source/<name>`, `repository/<name>`.',
        ),
    })
    .describe('A run was let in under limits. Its place is free again when the run is over.'),
} as const;
