import { z } from 'zod';
import { fields, oneOf } from '../shape/building-blocks.ts';
import { pathText } from './path-text.ts';
import { sharingFields } from './sharing.ts';

/** A Source with `driver: image`. */
export const imageSource = fields({
  driver: z.literal('image', { error: 'image' }).describe('A disk, byte by byte.'),
  image: fields({
    path: pathText.describe('The block device, or the file that holds an image of one.'),
    format: oneOf('raw', 'qcow2')
      .optional()
      .describe(
        'raw: the bytes as they are. qcow2: the disk that a guest sees in such a file; needs qemu-utils. Default raw.',
      ),
  }),
  ...sharingFields,
});

export interface ImageSource {
  readonly driver: 'image';
  readonly image: {
    /** Absolute. */
    readonly path: string;
    readonly format: 'raw' | 'qcow2';
  };
}

export function imageSourceWithDefaults({ driver, image }: z.infer<typeof imageSource>): ImageSource {
  return { driver, image: { path: image.path, format: image.format ?? 'raw' } };
}
