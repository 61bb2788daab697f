import { z } from 'zod';
import { databaseRestore } from '../catalogue/database-restore.ts';
import {
  backupType,
  cadence,
  count,
  definitionKind,
  definitionName,
  instant,
  restoredOwnership,
  clusterRestoreFields,
  restoreStop,
  specification,
} from '../catalogue/vocabulary.ts';
import { commandBase, pageOf, request } from './request.ts';

const accepted = z.object({ run: z.string(), sequence: z.number().int() });

/** A time at which something of a schedule will, or would, happen. */
const dueView = z.object({
  cadence,
  at: instant,
  local: z.string().describe('On the wall clock of the schedule, with its offset.'),
  note: z.string(),
});

/** How a schedule stands, as its scheduler sees it. */
export const scheduleStatusView = z.object({
  id: z.string().describe('The uid of its definition.'),
  name: definitionName,
  status: z.enum(['active', 'paused', 'waitingForFull', 'finished']),
  source: definitionName,
  repository: definitionName,
  timeZone: z.string(),
  cadences: z.array(z.object({ cadence, rhythm: z.string(), chosen: z.boolean(), next: instant.optional() })),
  firstRun: instant.optional().describe('The first one by the clock, or when it is to be.'),
  nextRun: instant.optional(),
  state: z
    .string()
    .describe('What there is to say: why it is paused, what it waits for, why the last tick did not run.'),
  waiting: z.array(
    z.object({ cadence, nominal: instant, since: instant, reason: z.string(), by: z.string() }),
  ),
  running: z.array(z.string()).describe('Runs that are not over.'),
  lastOutcome: z.object({ run: z.string(), outcome: z.string(), at: instant }).optional(),
  failures: count.describe('Failed runs in a row.'),
});
export type ScheduleStatusView = z.infer<typeof scheduleStatusView>;

/** Something that was decided about a schedule. */
export const scheduleDecisionView = z.object({
  sequence: z.number().int(),
  at: instant,
  actor: z.string(),
  type: z.string(),
  cadence: cadence.optional(),
  nominal: instant.optional(),
  until: instant.optional(),
  count: count.optional().describe('How many times it stands for.'),
  reason: z.string().optional(),
  by: z.string().optional(),
  run: z.string().optional(),
});
export type ScheduleDecisionView = z.infer<typeof scheduleDecisionView>;

/** Commands to the scheduler: definitions and time. */
export const schedulerRequests = {
  applyDefinitions: request({
    service: 'scheduler',
    name: 'apply-definitions',
    summary: 'Applies files whole or not at all; unchanged documents append nothing.',
    input: z.object({
      ...commandBase,
      files: z
        .array(
          z.object({
            name: z.string(),
            text: z.string(),
            anchors: z
              .object({
                folder: z.string().optional().describe('Of the file, for relative paths.'),
                userHome: z.string().optional().describe('For `~/`.'),
                catenaHome: z.string().optional().describe('For `$CATENA_HOME/`.'),
              })
              .optional()
              .describe('Absolute folders of the applying side that paths of the file may start from.'),
          }),
        )
        .min(1),
      dryRun: z.boolean().optional(),
      prune: z
        .string()
        .optional()
        .describe(
          'The folder that the files are all of: what was applied from it before and is gone is deleted.',
        ),
    }),
    output: z.object({
      results: z.array(
        z.object({
          kind: definitionKind,
          name: definitionName,
          uid: z.string(),
          action: z.enum(['created', 'changed', 'unchanged', 'deleted']),
        }),
      ),
      warnings: z
        .array(z.string())
        .optional()
        .describe('Accepted, but perhaps not meant; each with file, line and column.'),
      sequence: z.number().int(),
    }),
  }),
  deleteDefinition: request({
    service: 'scheduler',
    name: 'delete-definition',
    summary: 'Deletes a definition; never touches backups.',
    input: z.object({ ...commandBase, kind: definitionKind, name: definitionName }),
    output: z.object({ deleted: z.boolean(), sequence: z.number().int() }),
  }),
  pauseSchedule: request({
    service: 'scheduler',
    name: 'pause-schedule',
    summary: 'Nothing of the schedule fires until it is resumed.',
    input: z.object({ ...commandBase, schedule: definitionName, reason: z.string().optional() }),
    output: z.object({ changed: z.boolean(), sequence: z.number().int() }),
  }),
  resumeSchedule: request({
    service: 'scheduler',
    name: 'resume-schedule',
    summary: 'Due times from now on fire again.',
    input: z.object({ ...commandBase, schedule: definitionName }),
    output: z.object({ changed: z.boolean(), sequence: z.number().int() }),
  }),
  runSchedule: request({
    service: 'scheduler',
    name: 'run-schedule',
    summary: 'Runs one cadence of a schedule now; refused while it is paused.',
    input: z.object({ ...commandBase, schedule: definitionName, cadence: cadence.optional() }),
    output: accepted,
  }),
  backfillSchedule: request({
    service: 'scheduler',
    name: 'backfill-schedule',
    summary: 'Makes up for past times of a schedule, or says what that would be.',
    input: z.object({
      ...commandBase,
      schedule: definitionName,
      from: instant.describe('Not included.'),
      to: instant.describe('Included; not in the future.'),
      cadence: cadence.optional(),
      dryRun: z.boolean(),
    }),
    output: z.object({
      rows: z
        .array(
          z.object({
            cadence,
            nominal: instant,
            action: z.enum(['run', 'covered', 'excluded', 'outsideWindow']),
            run: z.string().optional(),
          }),
        )
        .describe('Every time between; the newest thousand when there are more.'),
      count,
      runs: z.array(z.string()),
      sequence: z.number().int(),
    }),
  }),
  listScheduleStatus: request({
    service: 'scheduler',
    name: 'list-schedule-status',
    summary: 'How schedules stand: next run, what waits, what runs, how the last run ended.',
    input: z.object({
      name: definitionName.optional(),
      limit: z.number().int().min(1).max(1000).optional(),
      after: z.string().optional(),
    }),
    output: pageOf(scheduleStatusView),
  }),
  describeSchedule: request({
    service: 'scheduler',
    name: 'describe-schedule',
    summary: 'A schedule with its definition, its next times and its last decisions.',
    input: z.object({ name: definitionName, next: count.optional(), last: count.optional() }),
    output: z.object({
      status: scheduleStatusView,
      generation: count,
      labels: z.record(z.string(), z.string()),
      spec: specification,
      next: z.array(dueView),
      last: z.array(scheduleDecisionView).describe('The newest first.'),
    }),
  }),
  requestBackup: request({
    service: 'scheduler',
    name: 'request-backup',
    summary: 'Asks for one backup by hand.',
    input: z.object({
      ...commandBase,
      source: definitionName,
      repository: definitionName
        .optional()
        .describe('May be left out when only one schedule names the source.'),
      type: backupType,
      copyOnly: z.boolean(),
      whenNoFull: z.enum(['full', 'fail']).optional(),
      method: z
        .enum(['read', 'compose'])
        .optional()
        .describe('Of a full: read from the source (default), or composed from what is in the repository.'),
      into: z
        .string()
        .optional()
        .describe('Rule 1.9: `latest`, or (the beginning of) the id of the full whose chain it joins.'),
    }),
    output: accepted,
  }),
  requestRestore: request({
    service: 'scheduler',
    name: 'request-restore',
    summary: 'Asks for a restore of a backup.',
    input: z.object({
      ...commandBase,
      repository: definitionName,
      backup: z.string().optional().describe('As of this one; or with `until`: begin from it.'),
      source: definitionName.optional().describe('Without `backup`: to `until`, or to its newest state.'),
      until: restoreStop.optional(),
      nearest: z.boolean().optional(),
      target: z.string(),
      include: z.array(z.string()),
      overwrite: z.boolean(),
      ownership: restoredOwnership.optional(),
      parts: databaseRestore.optional(),
      ...clusterRestoreFields,
    }),
    output: accepted,
  }),
  requestVerify: request({
    service: 'scheduler',
    name: 'request-verify',
    summary: 'Asks for a check of one backup or of a whole repository.',
    input: z.object({
      ...commandBase,
      repository: definitionName,
      backup: z.string().optional(),
      depth: z.enum(['presence', 'checksums']),
    }),
    output: accepted,
  }),
  requestRescan: request({
    service: 'scheduler',
    name: 'request-rescan',
    summary: 'Reads what a repository holds into the catalog.',
    input: z.object({ ...commandBase, repository: definitionName }),
    output: accepted,
  }),
  requestSweep: request({
    service: 'scheduler',
    name: 'request-sweep',
    summary: 'Removes from a repository what interrupted runs have left, or says what that would be.',
    input: z.object({
      ...commandBase,
      repository: definitionName,
      dryRun: z.boolean(),
      grace: count
        .optional()
        .describe(
          'Milliseconds for which a run must be over, before what it left is removed; default a day.',
        ),
    }),
    output: accepted,
  }),
} as const;
