import { z } from 'zod';
import { SourceError } from '../port/source-error.ts';

/** What a Source definition says under `image`. */
export const imageSpec = z.strictObject({
  path: z.string().startsWith('/', 'an absolute path').describe('Block device, or file that holds an image.'),
  format: z
    .enum(['raw', 'qcow2'])
    .default('raw')
    .describe('raw: the bytes as they are. qcow2: the disk that a guest sees in such a file.'),
});

export type ImageSpec = z.infer<typeof imageSpec>;

/** Throws `source.specInvalid` with everything that is wrong. */
export function parseImageSpec(spec: unknown): ImageSpec {
  const parsed = imageSpec.safeParse(spec);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `image.${issue.path.join('.')}: ${issue.message}`);
  throw new SourceError('source.specInvalid', `The source is not defined right. ${problems.join('; ')}.`, {
    remedy: 'Correct the Source definition and apply it again.',
    details: { problems },
  });
}
