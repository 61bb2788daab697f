import { z } from 'zod';
import { SourceError } from '../port/source-error.ts';

/** What a Source definition says under `files`. */
export const filesSpec = z.strictObject({
  path: z.string().startsWith('/', 'an absolute path').describe('Folder (or file) that is protected.'),
  include: z
    .array(z.string())
    .optional()
    .describe('Only what matches one of these patterns (as in .gitignore) and what is below it.'),
  exclude: z.array(z.string()).optional().describe('Never what matches these; wins over include.'),
  oneFileSystem: z.boolean().optional().describe('Do not go into other file systems mounted below.'),
  excludeCaches: z.boolean().optional().describe('Leave out what is in folders that hold a CACHEDIR.TAG.'),
  excludeIfPresent: z
    .array(z.string().min(1))
    .optional()
    .describe('Leave out what is in folders that hold a file of such a name, for instance .nobackup.'),
});
export type FilesSpec = z.infer<typeof filesSpec>;

/** Throws `source.specInvalid` with everything that is wrong. */
export function parseFilesSpec(spec: unknown): FilesSpec {
  const parsed = filesSpec.safeParse(spec);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `files.${issue.path.join('.')}: ${issue.message}`);
  throw new SourceError('source.specInvalid', `The source is not defined right. ${problems.join('; ')}.`, {
    remedy: 'Correct the Source definition and apply it again.',
    details: { problems },
  });
}
