import { z } from 'zod';
import {
  backupType,
  cadence,
  count,
  definitionKind,
  definitionName,
  driverDetails,
  logLandmarks,
  failure,
  instant,
  specification,
  warning,
} from '../catalogue/vocabulary.ts';
import { runPlan, runPriority, runRequest, runStatistics, runWait } from '../catalogue/run-events.ts';
import { commandBase, pageOf, queryBase, request } from './request.ts';
import { moverReport } from './report.ts';

/** A definition as queries answer it. */
export const definitionView = z.object({
  kind: definitionKind,
  name: definitionName,
  uid: z.string(),
  generation: count,
  labels: z.record(z.string(), z.string()),
  spec: specification,
  appliedAt: instant,
  deleted: z.boolean(),
});
export type DefinitionView = z.infer<typeof definitionView>;

/** A schedule's state. */
export const scheduleView = z.object({
  name: definitionName,
  uid: z.string(),
  paused: z.boolean(),
  pauseReason: z.string().optional(),
  lastFired: z.record(z.string(), instant).describe('Nominal instant by cadence.'),
  lastRun: z.string().optional(),
  lastSkip: z.string().optional(),
});
export type ScheduleView = z.infer<typeof scheduleView>;

export const runState = z.enum([
  'requested',
  'planned',
  'running',
  'waitingForRetry',
  'cancelling',
  'completed',
  'completedWithWarnings',
  'refused',
  'failed',
  'cancelled',
]);
export type RunState = z.infer<typeof runState>;

/** One run. */
export const runView = z.object({
  run: z.string(),
  kind: z.enum(['backup', 'compose', 'restore', 'verify', 'rescan', 'prune', 'sweep']),
  state: runState,
  request: runRequest,
  plan: runPlan.optional(),
  source: definitionName.optional(),
  repository: definitionName,
  schedule: definitionName.optional(),
  scheduleUid: z.string().optional(),
  cadence: cadence.optional(),
  nominal: instant.optional(),
  priority: runPriority.optional(),
  waiting: runWait.optional().describe('Why it is not planned yet.'),
  requestedAt: instant,
  plannedAt: instant.optional(),
  startedAt: instant.optional(),
  finishedAt: instant.optional(),
  attempt: count,
  mover: z.string().optional(),
  backup: z.string().optional(),
  failure: failure.optional(),
  warnings: z.array(warning),
  warningCount: count,
  statistics: runStatistics.optional(),
  detail: z.record(z.string(), z.unknown()).optional(),
});
export type RunView = z.infer<typeof runView>;

export const backupState = z.enum(['usable', 'damaged', 'missing', 'expired', 'condemned', 'deleted']);
export type BackupState = z.infer<typeof backupState>;

/** One backup. */
export const backupView = z.object({
  backup: z.string(),
  run: z.string(),
  collection: z.string(),
  source: definitionName,
  sourceUid: z.string(),
  repository: definitionName,
  repositoryUid: z.string(),
  type: backupType,
  copyOnly: z.boolean(),
  parent: z.string().optional(),
  base: z.string().optional(),
  chain: z.string(),
  position: z.string().describe('Where in the history of its source it ends.'),
  start: z
    .string()
    .optional()
    .describe('Where it begins: a log, or the log that a data backup carries to be consistent.'),
  fork: z.string().optional().describe('The branch of the source it ends on.'),
  archivePoint: z.string().optional().describe('Of a data backup: where logs may begin.'),
  ...logLandmarks,
  family: z.string(),
  startedAt: instant,
  asOf: instant,
  finishedAt: instant,
  files: count,
  bytes: count,
  bytesAdded: count,
  closure: z.array(z.string()),
  manifest: z.object({ name: z.string(), hash: z.string() }),
  keyIds: z.array(z.string()),
  warningCount: count,
  state: backupState,
  found: z.boolean().describe('Learnt from the repository, not from a run.'),
  pinned: z.boolean().optional().describe('No policy lets it go.'),
  expired: z
    .object({ because: z.string().optional(), undoUntil: instant.optional() })
    .optional()
    .describe('Of one that has expired: by which rule, and until when that can be undone.'),
  verified: z.object({ at: instant, depth: z.enum(['presence', 'checksums']) }).optional(),
  driverDetails: driverDetails.optional(),
});
export type BackupView = z.infer<typeof backupView>;

/** One chain with its backups, oldest first. */
export const chainView = z.object({
  chain: z.string(),
  collection: z.string(),
  source: definitionName,
  repository: definitionName,
  copyOnly: z.boolean(),
  newest: z.boolean().describe('The collection continues this chain.'),
  usable: z.boolean(),
  backups: z.array(backupView),
  bytesAdded: count,
});
export type ChainView = z.infer<typeof chainView>;

/** A time that a restore can reach. */
export const restorePointView = z.object({
  source: definitionName,
  repository: definitionName,
  at: instant,
  backup: z.string(),
  type: backupType,
  copyOnly: z.boolean(),
  chain: z.string(),
});
export type RestorePointView = z.infer<typeof restorePointView>;

/** A stretch of the history of a source that logs cover without a gap: any moment of it can be had back. */
export const recoveryWindowView = z.object({
  source: definitionName,
  repository: definitionName,
  collection: z.string(),
  family: z.string(),
  fork: z.string().describe('The branch it ends on.'),
  from: instant.describe('The end of its first data backup.'),
  to: instant.describe('The last moment that its logs reach.'),
  fromPosition: z.string(),
  toPosition: z.string(),
  knownUntil: instant.describe('`to`, or later when nothing happened in between.'),
  backup: z.string().describe('The data backup that it begins with.'),
  logs: count,
  bytesAdded: count.describe('By its logs.'),
  gap: z
    .object({ from: instant, fromPosition: z.string(), toPosition: z.string() })
    .optional()
    .describe('The log that is missing between the logs before and its own.'),
  lost: z
    .object({ position: z.string(), reason: z.string(), at: instant })
    .optional()
    .describe('Of the last one: the log after it is gone; the next data backup begins the next window.'),
  leftBranch: z
    .literal(true)
    .optional()
    .describe(
      'It ends on a branch that the source has left: beyond that it is restored with the branch named.',
    ),
});
export type RecoveryWindowView = z.infer<typeof recoveryWindowView>;

/** A repository's keys that a person must still store elsewhere. */
export const keyView = z.object({
  repository: definitionName,
  repositoryUid: z.string(),
  keyId: z.string(),
  path: z.string(),
  generatedAt: instant,
  exportedAt: instant.optional(),
});
export type KeyView = z.infer<typeof keyView>;

const failingDelivery = z.object({
  subscription: z.string(),
  events: z.number().int().describe('Tried more than once, not taken, and to be tried again.'),
  error: z.string().optional().describe('Of the last attempt; absent when another catalog made it.'),
});
/** A subscription whose receiver does not take what it is given. */
export type FailingDelivery = z.infer<typeof failingDelivery>;

const filters = { source: definitionName.optional(), repository: definitionName.optional() };

/** Questions and commands to the chain catalog. */
export const catalogRequests = {
  listDefinitions: request({
    service: 'chain-catalog',
    name: 'list-definitions',
    summary: 'Definitions, by kind and name.',
    input: z.object({ ...queryBase, kind: definitionKind.optional(), name: definitionName.optional() }),
    output: pageOf(definitionView),
  }),
  listSchedules: request({
    service: 'chain-catalog',
    name: 'list-schedules',
    summary: 'State of the schedules.',
    input: z.object({ ...queryBase, name: definitionName.optional() }),
    output: pageOf(scheduleView),
  }),
  listRuns: request({
    service: 'chain-catalog',
    name: 'list-runs',
    summary: 'Runs, newest first.',
    input: z.object({
      ...queryBase,
      ...filters,
      run: z.string().optional(),
      schedule: definitionName.optional(),
      state: runState.optional(),
      active: z.boolean().optional(),
    }),
    output: pageOf(runView),
  }),
  listBackups: request({
    service: 'chain-catalog',
    name: 'list-backups',
    summary: 'Backups, newest first; `backup` may be a unique beginning of an id.',
    input: z.object({
      ...queryBase,
      ...filters,
      backup: z.string().optional(),
      chain: z.string().optional(),
      copyOnly: z.boolean().optional(),
      states: z.array(backupState).nonempty().optional().describe('Only those in one of these states.'),
    }),
    output: pageOf(backupView),
  }),
  listChains: request({
    service: 'chain-catalog',
    name: 'list-chains',
    summary: 'Chains with their backups, newest first.',
    input: z.object({ ...queryBase, ...filters }),
    output: pageOf(chainView),
  }),
  listRestorePoints: request({
    service: 'chain-catalog',
    name: 'list-restore-points',
    summary: 'What can be restored, newest first.',
    input: z.object({ ...queryBase, ...filters, before: z.iso.datetime({ offset: true }).optional() }),
    output: pageOf(restorePointView),
  }),
  listRecoveryWindows: request({
    service: 'chain-catalog',
    name: 'list-recovery-windows',
    summary: 'From when to when any moment can be restored, newest first.',
    input: z.object({ ...queryBase, ...filters }),
    output: pageOf(recoveryWindowView),
  }),
  listKeys: request({
    service: 'chain-catalog',
    name: 'list-keys',
    summary: 'Generated keys and whether they were stored elsewhere.',
    input: z.object({ ...queryBase }),
    output: pageOf(keyView),
  }),
  catalogStatus: request({
    service: 'chain-catalog',
    name: 'status',
    summary: 'How far the catalog has read, and what it counts.',
    input: z.object({}),
    output: z.object({
      sequence: z.number().int(),
      logSequence: z.number().int(),
      stopped: z.string().optional(),
      generation: z.string().describe('The live copy of the read models.'),
      counts: z.record(z.string(), z.number().int()),
      deadLetters: z.number().int(),
      failingDeliveries: z
        .array(failingDelivery)
        .default([])
        .describe('Subscriptions whose receiver does not take what it is given.'),
      retentionHeldBack: z
        .string()
        .optional()
        .describe('Why nothing expires though policies say so: rules 5.3 and 5.7.'),
    }),
  }),
  rebuildCatalog: request({
    service: 'chain-catalog',
    name: 'rebuild',
    summary: 'Builds the read models again beside the live ones and swaps.',
    input: z.object({ ...commandBase }),
    output: z.object({
      events: z.number().int(),
      milliseconds: z.number(),
      generation: z.string(),
      sequence: z.number().int(),
    }),
  }),
  compareCatalog: request({
    service: 'chain-catalog',
    name: 'compare',
    summary: 'Builds the read models a second time from the log and says whether the live ones are the same.',
    input: z.object({}),
    output: z.object({
      sequence: z.number().int().describe('Log sequence up to which they were compared.'),
      identical: z.boolean(),
      differing: z.array(z.string()).describe('Tables whose rows differ.'),
    }),
  }),
  cancelRun: request({
    service: 'chain-catalog',
    name: 'cancel-run',
    summary: 'Stops a run that is not over.',
    input: z.object({ ...commandBase, run: z.string(), reason: z.string().optional() }),
    output: z.object({ changed: z.boolean(), sequence: z.number().int() }),
  }),
  keyExported: request({
    service: 'chain-catalog',
    name: 'key-exported',
    summary: 'Records that a generated key was stored elsewhere.',
    input: z.object({ ...commandBase, repository: definitionName, keyId: z.string() }),
    output: z.object({ changed: z.boolean(), sequence: z.number().int() }),
  }),
  acceptFamily: request({
    service: 'chain-catalog',
    name: 'accept-family',
    summary: 'A person says that what is at the address of a source now goes on as a new chain.',
    input: z.object({
      ...commandBase,
      source: definitionName,
      repository: definitionName,
      family: z.string().min(1).describe('What the source is now, as the refusal of its backup named it.'),
    }),
    output: z.object({ changed: z.boolean(), sequence: z.number().int() }),
  }),
  keepBackup: request({
    service: 'chain-catalog',
    name: 'keep-backup',
    summary: 'Pins a backup: no policy lets it go. Takes an expiry back, within its grace.',
    input: z.object({
      ...commandBase,
      backup: z.string().describe('Its whole id.'),
      reason: z.string().optional(),
    }),
    output: z.object({ changed: z.boolean(), undone: z.boolean(), sequence: z.number().int() }),
  }),
  unkeepBackup: request({
    service: 'chain-catalog',
    name: 'unkeep-backup',
    summary: 'Unpins a backup: the policy decides again.',
    input: z.object({ ...commandBase, backup: z.string().describe('Its whole id.') }),
    output: z.object({ changed: z.boolean(), sequence: z.number().int() }),
  }),
  report: request({
    service: 'chain-catalog',
    name: 'report',
    summary: 'A mover says how an attempt ended; answered only when the log has it.',
    input: moverReport,
    output: z.object({
      accepted: z
        .boolean()
        .describe('False: the attempt was superseded or the run is over; the mover drops the job.'),
      reason: z.string().optional(),
      sequence: z.number().int(),
    }),
  }),
} as const;
