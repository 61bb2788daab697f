import { z } from 'zod';
import { definitionName } from '@catena/events';
import { fields } from '../shape/building-blocks.ts';

const NAME = 'a name of lower-case letters, digits and "-", at most 63';

/** A name as the event catalogue has it, with a message for people. */
function name() {
  return z
    .string({ error: NAME })
    .refine((text) => definitionName.safeParse(text).success, { error: NAME })
    .meta({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' });
}

/** The name of another definition. */
export function referenceTo(kind: string) {
  return name().describe(`The name of a ${kind}.`);
}

const LABEL = 'a label of letters, digits, ".", "_", "/" and "-", at most 63';

export const metadata = fields({
  name: name().describe('Unique among the definitions of its kind.'),
  labels: z
    .record(
      z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/, { error: LABEL }),
      z.string({ error: 'a text (quote numbers and true or false)' }),
      { error: 'a map of texts' },
    )
    .optional()
    .describe('Free words to find it by.'),
});
