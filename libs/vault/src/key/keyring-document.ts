import { z } from 'zod';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const base64 = z.base64().max(65536);

const slot = z.object({
  id: hex(8),
  kind: z.enum(['passphrase', 'keyFile', 'command', 'kms']),
  /** Whose key this is, for people. */
  name: z.string(),
  /** Can the key be used away from where it was made? Decides whether a copy-only backup may rely on it. */
  portable: z.boolean(),
  createdAt: z.iso.datetime(),
  kdf: z
    .object({
      name: z.literal('scrypt'),
      N: z
        .int()
        .min(2)
        .max(1 << 22),
      r: z.int().min(1).max(32),
      p: z.int().min(1).max(16),
    })
    .optional(),
  salt: base64.optional(),
  /** The master key, wrapped under this slot's key. */
  wrapped: base64,
});

/** A keyring as it lies in the repository, in clear. All secrets in it are wrapped. */
export const keyringDocument = z.object({
  format: z.literal('catena-keyring'),
  version: z.literal(1),
  repository: z.string(),
  collection: z.string(),
  number: z.int().positive(),
  createdAt: z.iso.datetime(),
  /** Data key that new objects are sealed with. */
  active: hex(8),
  /** Key of the block identities; stays for the life of the collection. */
  identity: hex(8),
  keys: z.array(
    z.object({
      id: hex(8),
      role: z.enum(['data', 'identity']),
      createdAt: z.iso.datetime(),
      /** The key, wrapped under the master key. */
      wrapped: base64,
    }),
  ),
  slots: z.array(slot).min(1),
});

export type KeyringDocument = z.infer<typeof keyringDocument>;
export type KeyringSlot = z.infer<typeof slot>;
