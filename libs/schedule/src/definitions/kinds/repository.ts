import { z } from 'zod';
import { exactlyOneOfBeside, fields, flag, listOf, oneOf } from '../shape/building-blocks.ts';
import { pathText } from './path-text.ts';
import { secretReference } from './secret-reference.ts';
import { sharingFields } from './sharing.ts';

const encryptionKey = exactlyOneOfBeside(
  {
    passphrase: secretReference.optional().describe('A passphrase that a person knows.'),
    keyFile: fields({
      path: pathText.describe('Where the key file is.'),
      generate: flag()
        .optional()
        .describe(
          'Make the file when it is not there. Default false. Store a copy elsewhere: `catena key export`.',
        ),
    })
      .optional()
      .describe('A file of random bytes.'),
  },
  {
    portable: flag()
      .optional()
      .describe(
        'Whether the key can be had away from here. A copy-only backup needs one that can. Default true.',
      ),
  },
  'exactly one of passphrase, keyFile',
);

const fileSystemStore = fields({
  store: z.literal('fs', { error: 'fs' }).describe('A folder.'),
  fs: fields({ path: pathText.describe('The folder that holds the repository.') }),
  access: oneOf('readWrite', 'appendOnly', 'external')
    .optional()
    .describe(
      '`appendOnly`: backups are added, nothing is deleted, because the movers may not. `external`: it may be read and copied from, never written to. Default readWrite.',
    ),
  encryption: fields({
    keys: listOf(encryptionKey, 'a list of keys')
      .min(1, { error: 'at least one key' })
      .describe('Any one of them opens the repository.'),
  })
    .optional()
    .describe('Absent: the repository is not encrypted.'),
  ...sharingFields,
});

/** Where backups are stored, by store. A new store is one more member. */
export const repositorySpec = z
  .discriminatedUnion('store', [fileSystemStore], { error: 'one of fs' })
  .meta({ title: 'Repository' });

/** One way to open a repository. */
export type EncryptionKey = (
  | { readonly passphrase: SecretReference }
  | { readonly keyFile: { readonly path: string; readonly generate: boolean } }
) & { readonly portable?: boolean };

/** Where a secret is. */
export type SecretReference = { readonly env: string } | { readonly file: string };

/** A Repository's spec with its defaults. */
export interface RepositorySpec {
  readonly store: 'fs';
  /** Absolute. */
  readonly fs: { readonly path: string };
  readonly access: 'readWrite' | 'appendOnly' | 'external';
  /** Empty: not encrypted. */
  readonly keys: readonly EncryptionKey[];
}

export function repositoryWithDefaults(spec: z.infer<typeof repositorySpec>): RepositorySpec {
  return {
    store: spec.store,
    fs: { path: spec.fs.path },
    access: spec.access ?? 'readWrite',
    keys: (spec.encryption?.keys ?? []).map(keyWithDefaults),
  };
}

function keyWithDefaults(key: z.infer<typeof encryptionKey>): EncryptionKey {
  const portable = key.portable === undefined ? {} : { portable: key.portable };
  if (key.keyFile)
    return { keyFile: { path: key.keyFile.path, generate: key.keyFile.generate ?? false }, ...portable };
  return { passphrase: referenceOf(key.passphrase), ...portable };
}

/** The schema has made sure that one of both is there. */
export function referenceOf(reference: z.infer<typeof secretReference> | undefined): SecretReference {
  return reference?.env === undefined ? { file: reference?.file ?? '' } : { env: reference.env };
}
