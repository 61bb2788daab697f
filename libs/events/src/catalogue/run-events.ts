import { z } from 'zod';
import { databaseRestore } from './database-restore.ts';
import {
  backupType,
  cadence,
  clusterRestoreFields,
  count,
  definitionName,
  definitionSnapshot,
  failure,
  instant,
  position,
  restoredOwnership,
  restoreStop,
  warning,
} from './vocabulary.ts';

/** How long one log backup of a stream goes on. */
export const logStream = z.object({
  sealAfter: count.describe('Milliseconds after its first byte.'),
  sealBytes: count.describe('Bytes of log.'),
});
export type LogStream = z.infer<typeof logStream>;

const backupRequest = z.object({
  kind: z.literal('backup'),
  source: definitionName,
  repository: definitionName,
  type: backupType,
  copyOnly: z.boolean(),
  whenNoFull: z.enum(['full', 'fail']).optional().describe('Rule 1.6; default full.'),
  whenHistoryLost: z.enum(['full', 'fail']).optional().describe('Rule 1.7; default full.'),
  into: z
    .string()
    .optional()
    .describe('Rule 1.9: `latest`, or (the beginning of) the id of the full whose chain it joins.'),
  stream: logStream.optional().describe('Of a log: it follows the source until it is sealed.'),
});

const composeRequest = z.object({
  kind: z.literal('compose'),
  source: definitionName.describe('Whose newest point the full is composed from. It is not read.'),
  repository: definitionName,
  whenNoFull: z
    .enum(['full', 'fail'])
    .optional()
    .describe(
      'When there is nothing to compose from: `full` reads one from the source, as the first one must be; default fail.',
    ),
});

const restoreRequest = z.object({
  kind: z.literal('restore'),
  repository: definitionName,
  backup: z
    .string()
    .optional()
    .describe('The backup to restore as of, its closure comes with it; with `until`: the one to begin from.'),
  source: definitionName.optional().describe('Without `backup`: what to restore, to `until` or its newest.'),
  until: restoreStop.optional().describe('Where in the history of the source to stop.'),
  nearest: z
    .boolean()
    .optional()
    .describe('What comes nearest before `until` will do when it cannot be reached.'),
  target: z.string().describe('Absolute path; of parts for a server that lives: where that is, for people.'),
  include: z.array(z.string()).describe('Globs below the source root; empty means all.'),
  overwrite: z.boolean(),
  ownership: restoredOwnership.optional(),
  parts: databaseRestore
    .optional()
    .describe(
      'A database or tables of a cluster, put into a server that lives; `target` then only names it.',
    ),
  ...clusterRestoreFields,
});

const verifyRequest = z.object({
  kind: z.literal('verify'),
  repository: definitionName,
  backup: z.string().optional().describe('One backup; absent means all of the repository.'),
  depth: z.enum(['presence', 'checksums']),
});

const rescanRequest = z.object({ kind: z.literal('rescan'), repository: definitionName });

const pruneRequest = z.object({
  kind: z.literal('prune'),
  repository: definitionName,
  collection: z.string().describe('What is condemned there is deleted.'),
});

const grace = count.describe('Milliseconds for which a run must be over, before what it left is removed.');

const sweepRequest = z.object({
  kind: z.literal('sweep'),
  repository: definitionName,
  dryRun: z.boolean().describe('Only says what would be removed.'),
  grace: grace.optional(),
});

/** How a run may behave, as its schedule has it. Lengths in milliseconds. */
export const runLimits = z.object({
  retry: z
    .object({
      attempts: z.number().int().positive().describe('Attempts that may fail before the run has failed.'),
      firstDelay: count,
      factor: z.number().min(1),
      longestDelay: count,
    })
    .optional(),
  timeLimit: count.optional().describe('It is cancelled when it takes longer, from its first attempt on.'),
  deadline: instant.optional().describe('It is cancelled when it is not over by then.'),
});
export type RunLimits = z.infer<typeof runLimits>;

/** Which of the runs that wait for the same place goes first. */
export const runPriority = z.enum(['low', 'normal', 'high']);
export type RunPriority = z.infer<typeof runPriority>;

/** Why a run that was asked for is not planned yet. */
export const runWait = z.object({
  reason: z
    .enum(['previousRun', 'source', 'repository', 'pool', 'platform'])
    .describe('The run before it in its collection, or the limit on runs at once that is used up.'),
  of: z.string().optional().describe('The source, repository or pool that the limit is of.'),
  limit: z.number().int().positive().optional().describe('How many runs it allows at once.'),
  by: z.array(z.string()).describe('Runs in its way when this was said; at most ten.'),
});
export type RunWait = z.infer<typeof runWait>;

/** What a run is asked to do. */
export const runRequest = z.discriminatedUnion('kind', [
  backupRequest,
  composeRequest,
  restoreRequest,
  verifyRequest,
  rescanRequest,
  pruneRequest,
  sweepRequest,
]);
export type RunRequest = z.infer<typeof runRequest>;

const backupPlan = z.object({
  kind: z.literal('backup'),
  collection: z.string(),
  backup: z.string(),
  type: backupType,
  copyOnly: z.boolean(),
  parent: z.string().optional().describe('The backup an incremental is computed from.'),
  base: z.string().optional().describe('The full of the chain it joins; absent for a full.'),
  chain: z.string().describe('The id of the chain: its full.'),
  position: position
    .optional()
    .describe('What collection.backup-planned reserved, for sources without a coordinate of their own.'),
  start: position.optional().describe('Of a log: where it must begin.'),
  stream: logStream.optional().describe('Of a log: it follows the source until it is sealed.'),
  fork: z.string().optional().describe('The branch of the source that the collection knows.'),
  family: z
    .string()
    .optional()
    .describe(
      'What the source must still be; absent while the collection knows none. Rules 1, family changed.',
    ),
  source: definitionSnapshot,
  repository: definitionSnapshot,
  promotedFrom: backupType.optional().describe('Set when a full is taken instead of what was asked for.'),
  reason: z.string().optional().describe('Why the plan differs from the request.'),
});

const composePlan = z.object({
  kind: z.literal('compose'),
  collection: z.string(),
  backup: z.string().describe('The id of the full, and of the chain that begins with it.'),
  from: z.string().describe('The newest usable data backup: the full shows what it shows.'),
  closure: z.array(z.string()).describe('Backups whose objects are read; held while the run is not over.'),
  position: position.describe('Of the backup it is composed from.'),
  family: z.string(),
  source: definitionSnapshot,
  repository: definitionSnapshot,
});

const restorePlan = z.object({
  kind: z.literal('restore'),
  collection: z.string(),
  backup: z.string(),
  logs: z.array(z.string()).optional().describe('Log backups to roll on top of it, in order.'),
  stop: restoreStop.optional().describe('Where to stop; absent: at the end of the last of them.'),
  repository: definitionSnapshot,
  source: definitionSnapshot,
  target: z.string(),
  include: z.array(z.string()),
  overwrite: z.boolean(),
  ownership: restoredOwnership.optional(),
  parts: databaseRestore.optional(),
  ...clusterRestoreFields,
});

const verifyPlan = z.object({
  kind: z.literal('verify'),
  repository: definitionSnapshot,
  backups: z.array(z.string()),
  depth: z.enum(['presence', 'checksums']),
});

const rescanPlan = z.object({
  kind: z.literal('rescan'),
  repository: definitionSnapshot,
  settledThrough: z
    .record(z.string(), position)
    .optional()
    .describe(
      'By collection: up to which position nothing was in flight. What came later is not missed when it is not found.',
    ),
});

const prunePlan = z.object({
  kind: z.literal('prune'),
  collection: z.string(),
  repository: definitionSnapshot,
  backups: z
    .array(z.object({ backup: z.string(), run: z.string().describe('The run that made it.') }))
    .describe('Condemned and not deleted yet.'),
});

const sweepPlan = z.object({
  kind: z.literal('sweep'),
  repository: definitionSnapshot,
  dryRun: z.boolean(),
  grace,
});

/** What the chain catalog decided a run must do. */
export const runPlan = z.discriminatedUnion('kind', [
  backupPlan,
  composePlan,
  restorePlan,
  verifyPlan,
  rescanPlan,
  prunePlan,
  sweepPlan,
]);
export type RunPlan = z.infer<typeof runPlan>;
export type BackupPlan = z.infer<typeof backupPlan>;
export type ComposePlan = z.infer<typeof composePlan>;

/** Figures of a finished attempt. Bytes unless said otherwise. */
export const runStatistics = z.object({
  files: count,
  bytes: count.describe('Logical bytes of what was processed.'),
  bytesRead: count.describe('Read from the source, or from the repository.'),
  bytesAdded: count.describe('Written to the repository, or to the target.'),
  milliseconds: count,
});
export type RunStatistics = z.infer<typeof runStatistics>;

/** Aggregate `run`: the life of one execution. */
export const runEvents = {
  'run.requested': z
    .object({
      request: runRequest,
      schedule: definitionName.optional(),
      scheduleUid: z.string().optional(),
      cadence: cadence.optional(),
      nominal: instant.optional().describe('The time it stands for.'),
      limits: runLimits.optional(),
      priority: runPriority.optional().describe('Default normal.'),
    })
    .describe(
      'A schedule or a person asked for a run. Appended by the scheduler; a prune by the chain catalog, with what it condemns, and a sweep when runs may have left something.',
    ),
  'run.waiting': runWait.describe(
    'It cannot begin yet, and why (rule 3.11). Said again when the reason becomes another; the plan ends the wait.',
  ),
  'run.planned': z
    .object({ plan: runPlan })
    .describe('The chain catalog decided what it must be; a mover may take it.'),
  'run.replanned': z
    .object({ plan: runPlan, reason: z.string() })
    .describe('What was planned cannot be done any more, and something else is done instead (rule 1.7).'),
  'run.refused': z.object({ failure }).describe('It cannot be done; nothing was touched. Final.'),
  'run.claimed': z
    .object({ attempt: z.number().int().positive(), mover: z.string() })
    .describe('A mover works on it. Appended by the mover; a later claim supersedes an earlier one.'),
  'run.released': z
    .object({ attempt: z.number().int().positive(), mover: z.string(), reason: z.string() })
    .describe('A mover gave it back unfinished, so another may take it at once.'),
  'run.alarmed': z
    .object({
      attempt: z.number().int().positive(),
      mover: z.string(),
      alarm: warning,
      remedy: z.string().optional(),
    })
    .describe(
      'Something at the source needs a person before it goes wrong. Appended by the mover while it works, once per attempt and code.',
    ),
  'run.attempt-failed': z
    .object({
      attempt: z.number().int().positive(),
      mover: z.string(),
      failure,
      retryAt: instant,
    })
    .describe('An attempt failed and will be repeated.'),
  'run.cancel-requested': z.object({ reason: z.string().optional() }).describe('A person wants it stopped.'),
  'run.completed': z
    .object({
      attempt: z.number().int().positive(),
      mover: z.string(),
      outcome: z.enum(['completed', 'completedWithWarnings']),
      warnings: z.array(warning).describe('At most 100; `warningCount` has them all.'),
      warningCount: count,
      statistics: runStatistics,
      backup: z.string().optional(),
      detail: z
        .record(z.string(), z.unknown())
        .optional()
        .describe(
          'What a verify or a rescan found, a prune or a sweep deleted, or a restored cluster reached.',
        ),
    })
    .describe('It is done. In one append with what it changed.'),
  'run.failed': z
    .object({ attempt: z.number().int().nonnegative(), mover: z.string().optional(), failure })
    .describe('It failed for good.'),
  'run.cancelled': z
    .object({ attempt: z.number().int().nonnegative() })
    .describe('It was stopped; nothing half-made counts.'),
} as const;
