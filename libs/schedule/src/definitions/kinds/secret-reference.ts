import { exactlyOneOf, text } from '../shape/building-blocks.ts';
import { pathText } from './path-text.ts';

/** Secrets are only referred to (rules.md section 7); who needs one reads it where it is needed. */
export const secretReference = exactlyOneOf(
  {
    env: text('the name of an environment variable')
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'the name of an environment variable' })
      .optional()
      .describe('An environment variable of the process that needs the secret.'),
    file: pathText.optional().describe('A file whose content, less a final line break, is the secret.'),
  },
  'a reference, {env: NAME} or {file: PATH}',
);
