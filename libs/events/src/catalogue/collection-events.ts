import { z } from 'zod';
import {
  backupType,
  count,
  definitionName,
  driverDetails,
  instant,
  logLandmarks,
  position,
} from './vocabulary.ts';

const lineage = {
  run: z.string(),
  backup: z.string(),
  type: backupType,
  copyOnly: z.boolean(),
  parent: z.string().optional(),
  base: z.string().optional(),
  chain: z.string(),
};

/** Of sources that have a history of their own: a log, and branches of it. */
const historyFields = {
  fork: z.string().optional().describe('The branch of the source it ends on.'),
  start: position
    .optional()
    .describe('Where it begins: a log, or the log that a data backup carries to be consistent.'),
  archivePoint: position
    .optional()
    .describe('Of a data backup: where logs begin if none were taken yet, reserved before it was read.'),
};

const place = {
  source: definitionName,
  sourceUid: z.string(),
  repository: definitionName,
  repositoryUid: z.string(),
};

/** Aggregate `collection`: one source in one repository; owner of its chains. Appended by the chain catalog. */
export const collectionEvents = {
  'collection.opened': z.object(place).describe('The first run of a source into a repository.'),
  'collection.backup-planned': z
    .object({
      ...lineage,
      ...historyFields,
      position: position.describe('Reserved for it; grows with every plan.'),
      from: z
        .string()
        .optional()
        .describe("Of a full that is composed: the backup it will show. Its position is that backup's."),
    })
    .describe(
      'A run claims its parent. While a data backup is planned, no other data run of the collection is.',
    ),
  'collection.backup-completed': z
    .object({
      ...lineage,
      ...historyFields,
      ...logLandmarks,
      position,
      family: z.string(),
      asOf: instant,
      closure: z.array(z.string()),
    })
    .describe('The state table of rules.md section 1, rows full, differential, incremental, copy-only.'),
  'collection.plan-dropped': z
    .object({ run: z.string(), backup: z.string(), reason: z.enum(['failed', 'cancelled']) })
    .describe('A planned backup will not come; its parent is free again and nothing else changed.'),
  'collection.backup-unusable': z
    .object({
      backup: z.string(),
      reason: z.enum(['damaged', 'missing', 'expired', 'condemned']),
      because: z.string().optional().describe('Of an expiry: the rule, in words.'),
      undoUntil: instant.optional().describe('Of an expiry: how long it can be undone.'),
    })
    .describe(
      'A backup can no longer be base or parent, nor those that depend on it. `condemned` is irrevocable.',
    ),
  'collection.expiry-undone': z
    .object({ backup: z.string() })
    .describe('An expired backup is a restore point again; within its grace only.'),
  'collection.backup-pinned': z
    .object({ backup: z.string(), reason: z.string().optional() })
    .describe('No policy lets it go until it is unpinned.'),
  'collection.backup-unpinned': z.object({ backup: z.string() }).describe('The policy decides again.'),
  'collection.backups-in-use': z
    .object({ run: z.string(), backups: z.array(z.string()) })
    .describe('A run was planned that reads them; they are not condemned while it is not over.'),
  'collection.backup-deleted': z
    .object({ backup: z.string(), run: z.string(), bytes: count.optional().describe('What came back.') })
    .describe('A mover removed the objects of a condemned backup. Its id is never used again.'),
  'collection.archive-point-lost': z
    .object({
      position: position.describe('Where the next log would have begun.'),
      reason: z.enum(['slotLost', 'recycled', 'loggingOff']),
      run: z.string().optional(),
    })
    .describe(
      'The log after the last log backup is gone: a gap. The next data backup begins the log chain again.',
    ),
  'collection.forked': z
    .object({
      fork: z.string(),
      parent: z.string().optional(),
      at: position.optional().describe('Up to where both branches are the same.'),
      run: z.string(),
    })
    .describe('The source was recovered short of its end or promoted, and goes on as another branch.'),
  'collection.family-accepted': z
    .object({ family: z.string() })
    .describe(
      'A person said that what is at the address now goes on as a new chain; the old chains stay as they are.',
    ),
} as const;

/** Aggregate `backup`: one immutable artefact. */
export const backupEvents = {
  'backup.completed': z
    .object({
      ...lineage,
      ...place,
      ...historyFields,
      ...logLandmarks,
      collection: z.string(),
      family: z.string(),
      position,
      startedAt: instant,
      asOf: instant.describe('The time of the source it shows.'),
      finishedAt: instant,
      manifest: z.object({ name: z.string(), hash: z.string() }),
      closure: z.array(z.string()).describe('Backups whose objects it needs, itself not among them.'),
      files: count,
      bytes: count.describe('Logical size of what it restores.'),
      bytesAdded: count.describe('What it added to the repository.'),
      keyIds: z.array(z.string()),
      warningCount: count,
      driverDetails: driverDetails.optional(),
    })
    .describe('A backup exists: its manifest does. In one append with run.completed.'),
  'backup.found': z
    .object({
      ...lineage,
      ...place,
      ...historyFields,
      ...logLandmarks,
      collection: z.string(),
      family: z.string(),
      position,
      startedAt: instant,
      asOf: instant,
      finishedAt: instant,
      manifest: z.object({ name: z.string(), hash: z.string() }),
      closure: z.array(z.string()),
      files: count,
      bytes: count,
      bytesAdded: count,
      keyIds: z.array(z.string()),
      warningCount: count,
      driverDetails: driverDetails.optional(),
    })
    .describe('A rescan read a manifest that the log did not know.'),
  'backup.verified': z
    .object({ run: z.string(), depth: z.enum(['presence', 'checksums']), at: instant, bytes: count })
    .describe('Everything the backup needs was there (presence) or read back right (checksums).'),
  'backup.damaged': z
    .object({
      run: z.string(),
      at: instant,
      problems: z.array(z.object({ object: z.string(), message: z.string(), paths: z.array(z.string()) })),
      missing: z.boolean().describe('The manifest itself is gone.'),
    })
    .describe('A verify or a restore read something wrong; object and files are named.'),
} as const;

/** Aggregate `repository`, id = its uid. */
export const repositoryEvents = {
  'repository.initialised': z
    .object({
      repository: definitionName,
      format: count,
      encrypted: z.boolean(),
      id: z.string().optional().describe('That its own document has, by which it is known again.'),
      run: z.string(),
    })
    .describe('A mover wrote the format document of a new repository.'),
  'repository.key-generated': z
    .object({ repository: definitionName, keyId: z.string(), path: z.string() })
    .describe(
      'A key was generated that exists nowhere else until somebody stores it; status nags until then.',
    ),
  'repository.key-exported': z
    .object({ repository: definitionName, keyId: z.string() })
    .describe('A person took a copy of a generated key.'),
} as const;
