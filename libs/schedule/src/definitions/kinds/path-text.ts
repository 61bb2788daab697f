import { text } from '../shape/building-blocks.ts';

/** A path on the machine of the mover, as a person writes it; docs/definitions.md says what is resolved to what. */
export const pathText = text('a path')
  .refine((path) => !path.includes('\0'), { error: 'a path without a NUL character' })
  .meta({
    description:
      'Absolute, or relative to the folder of this file, or beginning with `~/` (home of who applies) or `$CATENA_HOME/`.',
  });
