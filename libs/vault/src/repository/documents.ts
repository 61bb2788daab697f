import { z } from 'zod';

/** Says that a folder or bucket holds a repository, and what its objects are like. Written once. */
export const repositoryDocument = z.object({
  format: z.literal('catena-repository'),
  version: z.literal(1),
  /** What a program must understand beyond version 1 to use the repository; nothing so far. */
  features: z.array(z.string()),
  id: z.string().min(1),
  createdAt: z.iso.datetime(),
  encryption: z.enum(['aes-256-gcm', 'none']),
});
export type RepositoryDocument = z.infer<typeof repositoryDocument>;

/** Which installation may sweep and prune. The document with the highest number counts. */
export const ownerDocument = z.object({
  format: z.literal('catena-owner'),
  version: z.literal(1),
  number: z.int().positive(),
  installation: z.string().min(1),
  since: z.iso.datetime(),
});
export type OwnerDocument = z.infer<typeof ownerDocument>;

/** Binds a folder to the run whose backup it will hold, and the other way round. */
export const runDocument = z.object({
  format: z.literal('catena-run'),
  version: z.literal(1),
  run: z.string().min(1),
  folder: z.string().min(1),
});
export type RunDocument = z.infer<typeof runDocument>;

/**
 * Lies where the manifest of a run would be that made no backup, from before its leftovers are removed: so nobody who
 * stood still for however long can make a backup of what is gone. Written once, stays.
 */
export const sweptDocument = z.object({
  format: z.literal('catena-swept'),
  version: z.literal(1),
  run: z.string().min(1),
  folder: z.string().min(1),
  at: z.iso.datetime(),
});
export type SweptDocument = z.infer<typeof sweptDocument>;

/** Names the newest conventional full at the time of writing. */
export const latestDocument = z.object({
  format: z.literal('catena-latest'),
  version: z.literal(1),
  backup: z.string(),
  folder: z.string(),
  run: z.string(),
  asOf: z.iso.datetime(),
});
export type LatestDocument = z.infer<typeof latestDocument>;

const damage = z.object({
  object: z.string(),
  offset: z.int().nonnegative().optional(),
  length: z.int().nonnegative().optional(),
  reason: z.string(),
  backups: z.array(z.string()),
  files: z.array(z.string()),
});

/** What a verification found. File names are sealed elsewhere in a repository, so they are left out of it. */
export const verificationDocument = z.object({
  format: z.literal('catena-verification'),
  version: z.literal(1),
  id: z.string(),
  depth: z.enum(['presence', 'checksums', 'trialRestore']),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  by: z.string(),
  backups: z.array(z.string()),
  objects: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  damages: z.array(damage),
});
export type VerificationDocument = z.infer<typeof verificationDocument>;
