import { z } from 'zod';
import { fields, flag, listOf, text } from '../shape/building-blocks.ts';
import { pathText } from './path-text.ts';
import { sharingFields } from './sharing.ts';

const patterns = listOf(text('a pattern such as "*.tmp"'), 'a list of patterns').optional();

/** A Source with `driver: files`. */
export const filesSource = fields({
  driver: z.literal('files', { error: 'files' }).describe('A file tree.'),
  files: fields({
    path: pathText.describe('The folder (or file) to protect.'),
    include: patterns.describe(
      'Only what matches, and what is below it; as in .gitignore. Absent: everything.',
    ),
    exclude: patterns.describe('Never what matches; as in .gitignore. Wins over include.'),
    oneFileSystem: flag()
      .optional()
      .describe('Do not go into other file systems mounted below. Default false.'),
    excludeCaches: flag()
      .optional()
      .describe('Leave out what is in folders that hold a CACHEDIR.TAG. Default false.'),
    excludeIfPresent: listOf(text('a file name'), 'a list of file names')
      .optional()
      .describe('Leave out what is in folders that hold a file of such a name, for instance .nobackup.'),
  }),
  ...sharingFields,
});

export interface FilesSource {
  readonly driver: 'files';
  readonly files: {
    /** Absolute. */
    readonly path: string;
    /** Empty: everything. */
    readonly include: readonly string[];
    readonly exclude: readonly string[];
    readonly oneFileSystem: boolean;
    readonly excludeCaches: boolean;
    readonly excludeIfPresent: readonly string[];
  };
}

export function filesSourceWithDefaults({ driver, files }: z.infer<typeof filesSource>): FilesSource {
  return {
    driver,
    files: {
      path: files.path,
      include: files.include ?? [],
      exclude: files.exclude ?? [],
      oneFileSystem: files.oneFileSystem ?? false,
      excludeCaches: files.excludeCaches ?? false,
      excludeIfPresent: files.excludeIfPresent ?? [],
    },
  };
}
