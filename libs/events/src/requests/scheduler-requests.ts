import { z } from 'zod';
import { backupType, cadence, definitionKind, definitionName } from '../catalogue/vocabulary.ts';
import { commandBase, request } from './request.ts';

const accepted = z.object({ run: z.string(), sequence: z.number().int() });

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
    }),
    output: z.object({
      results: z.array(
        z.object({
          kind: definitionKind,
          name: definitionName,
          uid: z.string(),
          action: z.enum(['created', 'changed', 'unchanged']),
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
      backup: z.string(),
      target: z.string(),
      include: z.array(z.string()),
      overwrite: z.boolean(),
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
} as const;
