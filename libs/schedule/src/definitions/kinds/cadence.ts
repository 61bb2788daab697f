import { z } from 'zod';
import { cronProblems } from '../../calendar/cron-text.ts';
import { fields, flag, mismatch } from '../shape/building-blocks.ts';

const cronText = z
  .string({ error: 'a cron text such as "0 2 * * *", a name such as "@daily", or {cron: …}' })
  .superRefine((text, context) => {
    for (const { offset, found, expected, remedy } of cronProblems(text)) {
      mismatch(context, expected, { code: 'definition.cron', offset, found, remedy });
    }
  })
  .describe('Five cron fields, or @hourly, @daily, @weekly, @monthly, @yearly.');

const neverCopyOnly = (remedy: string) =>
  z
    .boolean({ error: 'true or false' })
    .superRefine((copyOnly, context) => {
      if (copyOnly) mismatch(context, 'no copyOnly', { code: 'definition.copy-only', remedy });
    })
    .optional()
    .meta({ const: false, deprecated: true });

const or = <T extends z.ZodType>(options: T) =>
  z.union([cronText, options], { error: 'a cron text, a name, or {cron: …}' });

/** One rhythm: a text, a name, or a map for options of its own. A new option is a field here. */
export const fullCadence = or(
  fields({
    cron: cronText,
    copyOnly: neverCopyOnly('Write the rhythm as `copyOnly: …` beside a conventional `full: …`.'),
  }),
);

export const differentialCadence = or(
  fields({
    cron: cronText,
    copyOnly: flag()
      .optional()
      .describe('Accepted and ignored, with a warning: a differential cannot be copy-only.'),
  }),
);

export const incrementalCadence = or(
  fields({
    cron: cronText,
    copyOnly: neverCopyOnly('A copy-only incremental does not exist; use a copy-only full: `copyOnly: …`.'),
  }),
);

export const copyOnlyCadence = or(
  fields({
    cron: cronText,
    type: z
      .literal('full', { error: 'full' })
      .optional()
      .describe('What is copied out of the chain. Default and only one: full.'),
  }),
);
