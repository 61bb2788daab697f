import { z } from 'zod';
import { runStatistics } from '../catalogue/run-events.ts';
import { count, driverDetails, failure, instant, logLandmarks, warning } from '../catalogue/vocabulary.ts';

/** A manifest as a mover read it: what a catalog needs to know a backup again. */
export const manifestReport = z.object({
  name: z.string(),
  hash: z.string(),
  run: z.string(),
  backup: z.string(),
  collection: z.string(),
  source: z.string(),
  sourceUid: z.string(),
  type: z.enum(['full', 'differential', 'incremental', 'log']),
  copyOnly: z.boolean(),
  parent: z.string().optional(),
  base: z.string().optional(),
  chain: z.string(),
  family: z.string(),
  position: z.string(),
  fork: z.string().optional(),
  forkParent: z.string().optional().describe('With `fork`: the branch it left.'),
  forkAt: z.string().optional().describe('With `fork`: up to where both are the same.'),
  start: z.string().optional().describe('Of a log: where it begins.'),
  archivePoint: z
    .string()
    .optional()
    .describe('Of a data backup: where logs begin, reserved before reading.'),
  ...logLandmarks,
  startedAt: instant,
  asOf: instant,
  finishedAt: instant,
  closure: z.array(z.string()),
  files: count,
  bytes: count,
  bytesAdded: count,
  keyIds: z.array(z.string()),
  warningCount: count,
  driverDetails: driverDetails.optional(),
});
export type ManifestReport = z.infer<typeof manifestReport>;

const problem = z.object({ object: z.string(), message: z.string(), paths: z.array(z.string()) });

const leftover = z.object({
  collection: z.string(),
  run: z.string(),
  objects: count,
  bytes: count,
});

/** What a sweep removed, or would remove. The lists have at most 100 rows. */
export const sweptReport = z.object({
  objects: count,
  bytes: count,
  runs: z.array(leftover).describe('Whose leftovers went.'),
  left: z
    .array(leftover.extend({ standing: z.enum(['recent', 'open', 'unknown']) }))
    .describe('Whose leftovers stay, because the run is not over for long, not over, or not in the log.'),
  unsure: z
    .array(z.object({ collection: z.string(), manifest: z.string() }))
    .describe('Where nothing was touched, because a manifest cannot be read.'),
  unfinished: z.object({ objects: count, bytes: count }),
});
export type SweptReport = z.infer<typeof sweptReport>;

/** What a mover says about an attempt when it is over. */
export const moverReport = z.object({
  run: z.string(),
  attempt: z.number().int().positive(),
  mover: z.string(),
  outcome: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('completed'),
      statistics: runStatistics,
      warnings: z.array(warning),
      warningCount: count,
      manifest: manifestReport.optional().describe('Of a backup run.'),
      found: z.array(manifestReport).optional().describe('Of a rescan: everything the repository holds.'),
      verified: z
        .array(
          z.object({ backup: z.string(), bytes: count, missing: z.boolean(), problems: z.array(problem) }),
        )
        .optional()
        .describe('Of a verify: one row per backup.'),
      deleted: z
        .array(z.object({ backup: z.string(), bytes: count.describe('Of the objects that went.') }))
        .optional()
        .describe('Of a prune: backups of which nothing is left.'),
      composed: z
        .object({
          from: z.string(),
          spaceNeeded: count
            .optional()
            .describe(
              'Bytes, as announced before anything was written; absent when the manifest was adopted.',
            ),
          spaceFree: count.optional().describe('Bytes; absent where the store cannot tell.'),
        })
        .optional()
        .describe('Of a compose: what it was composed from.'),
      swept: sweptReport.optional().describe('Of a sweep.'),
      cluster: z
        .record(z.string(), z.unknown())
        .optional()
        .describe('Of the restore of a database cluster: where its recovery ends, and what it reached.'),
      initialised: z.object({ format: count, encrypted: z.boolean(), id: z.string().optional() }).optional(),
      generatedKey: z.object({ keyId: z.string(), path: z.string() }).optional(),
    }),
    z.object({
      kind: z.literal('failed'),
      failure,
      damaged: z.array(z.object({ backup: z.string(), problems: z.array(problem) })).optional(),
      historyLost: z
        .enum(['slotLost', 'recycled', 'loggingOff'])
        .optional()
        .describe('The source has no longer what the plan needs since the parent, or since the last log.'),
    }),
    z.object({ kind: z.literal('cancelled') }),
  ]),
});
export type MoverReport = z.infer<typeof moverReport>;

/** Subject of progress messages: plain publish, at least once a second, never stored. */
export function progressSubject(run: string): string {
  return `catena.progress.${run}`;
}

export const progressMessage = z.object({
  run: z.string(),
  attempt: z.number().int().positive(),
  mover: z.string(),
  phase: z.enum([
    'scanning',
    'reading',
    'writing',
    'composing',
    'verifying',
    'restoring',
    'deleting',
    'reporting',
  ]),
  at: instant,
  files: count,
  bytes: count,
  totalFiles: count.optional(),
  totalBytes: count.optional(),
  bytesPerSecond: count,
  secondsRemaining: count.optional(),
});
export type ProgressMessage = z.infer<typeof progressMessage>;

/** Subject on which a mover hears that a run it works on is to stop; the log has the truth. */
export function cancelSubject(run: string): string {
  return `catena.cancel.${run}`;
}

/** The hint in the queue (architecture.md section 2): everything else is read from the log. */
export const jobMessage = z.object({ run: z.string() });
export type JobMessage = z.infer<typeof jobMessage>;
