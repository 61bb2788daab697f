import { z } from 'zod';
import { fields, flag, listOf, text } from '../shape/building-blocks.ts';
import { pathText } from './path-text.ts';

const pattern = text('a pattern such as "**/*.tmp"');

const filesDriver = fields({
  driver: z.literal('files', { error: 'files' }).describe('A file tree.'),
  files: fields({
    path: pathText.describe('The folder to protect.'),
    include: listOf(pattern, 'a list of patterns')
      .optional()
      .describe('Globs below the path; absent or empty: everything.'),
    exclude: listOf(pattern, 'a list of patterns')
      .optional()
      .describe('Globs below the path; win over include.'),
    oneFileSystem: flag().optional().describe('Do not go into other mounted file systems. Default true.'),
  }),
});

/** What is protected, by driver. A new driver is one more member. */
export const sourceSpec = z
  .discriminatedUnion('driver', [filesDriver], { error: 'one of files' })
  .meta({ title: 'Source' });

/** A Source's spec with its defaults. */
export interface SourceSpec {
  readonly driver: 'files';
  readonly files: {
    /** Absolute. */
    readonly path: string;
    readonly include: readonly string[];
    readonly exclude: readonly string[];
    readonly oneFileSystem: boolean;
  };
}

export function sourceWithDefaults({ driver, files }: z.infer<typeof sourceSpec>): SourceSpec {
  return {
    driver,
    files: {
      path: files.path,
      include: files.include ?? [],
      exclude: files.exclude ?? [],
      oneFileSystem: files.oneFileSystem ?? true,
    },
  };
}
