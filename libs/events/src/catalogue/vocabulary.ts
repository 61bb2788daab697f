import { z } from 'zod';

/** The words of the domain that events, requests and definitions share. */
export const backupType = z.enum(['full', 'differential', 'incremental', 'log']);
export type BackupType = z.infer<typeof backupType>;

export const cadence = z.enum(['full', 'differential', 'incremental', 'log', 'copyOnly']);
/** One rhythm of a schedule. */
export type Cadence = z.infer<typeof cadence>;

export const definitionKind = z.enum(['Source', 'Repository', 'Schedule', 'Subscription', 'Limits']);
export type DefinitionKind = z.infer<typeof definitionKind>;

/** ISO 8601 instant in UTC with milliseconds; fixed width, so text order is time order. */
export const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'an ISO 8601 instant in UTC with milliseconds');

/** The source's own coordinate: an exact non-negative integer of any width, as decimal text. */
export const position = z.string().regex(/^\d+$/, 'a non-negative integer as decimal text');

/** Lower-case name as in `metadata.name`. */
export const definitionName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and "-", at most 63');

/** Bytes or counts that fit a double exactly. */
export const count = z.number().int().nonnegative();

/** What a stored definition says, as JSON; libs/schedule owns its schema. */
export const specification = z.record(z.string(), z.unknown());
export type Specification = z.infer<typeof specification>;

export const definitionSnapshot = z.object({
  uid: z.string(),
  name: definitionName,
  generation: count,
  spec: specification,
});
/** A definition as it stood when a run was planned: later edits do not change what a mover does. */
export type DefinitionSnapshot = z.infer<typeof definitionSnapshot>;

export const warning = z.object({ code: z.string(), path: z.string().optional(), message: z.string() });
export type Warning = z.infer<typeof warning>;

export const failure = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string().optional(),
  retryable: z.boolean(),
});
export type Failure = z.infer<typeof failure>;

const branch = { fork: z.string().optional().describe('The branch of the source it lies on.') };

/** A place in a source's own history where a restore stops. */
export const restoreStop = z.union([
  z.object({ ...branch, at: z.iso.datetime({ offset: true }).describe('The last commit at or before it.') }),
  z.object({ ...branch, position: position.describe('The last commit that ends at or before it.') }),
  z.object({ ...branch, mark: z.string().min(1).describe('A name that somebody left in the log.') }),
  z.object({
    ...branch,
    transaction: z
      .string()
      .regex(/^\d{1,20}$/)
      .describe('With this transaction.'),
  }),
]);
export type RestoreStop = z.infer<typeof restoreStop>;

/** How a database cluster is restored. */
export const clusterRestore = z.object({
  tablespaces: z
    .array(z.object({ from: z.string().min(1), to: z.string().min(1) }))
    .optional()
    .describe(
      'Tablespaces that go elsewhere: the place at the source or the number, and where it is to lie.',
    ),
  start: z
    .enum(['leaveRunning', 'stopAgain'])
    .optional()
    .describe(
      'Starts the copy and compares what it reached with what was planned; absent: it is left for others to start.',
    ),
  programs: z
    .string()
    .optional()
    .describe('Folder of the server programs; absent: those of its version that are found.'),
  port: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Of a copy that is left running, on localhost; absent: it has a socket alone.'),
  superuser: z.string().optional().describe('Of the cluster; default postgres.'),
});
export type ClusterRestore = z.infer<typeof clusterRestore>;

const delta = z
  .boolean()
  .optional()
  .describe(
    'Makes what is at the target what the backup holds: what differs is rewritten, what is not in it goes.',
  );

/** What is asked of a restore of a database cluster, and planned. */
export const clusterRestoreFields = { delta, cluster: clusterRestore.optional() };

/** Whose restored files become. */
export const restoredOwnership = z
  .enum(['name', 'id'])
  .describe('The account of the same name, by id where there is none (the default); or always by id.');

/** What is found in a log backup by those who look for a place in it. */
export const logLandmarks = {
  marks: z
    .array(z.object({ name: z.string(), at: instant, position }))
    .optional()
    .describe('Of a log: names that somebody left in it, in order; absent when they are not known.'),
  moreMarks: count
    .optional()
    .describe(
      'Of a log: how many marks lie in it before those that are listed; absent when there are no others.',
    ),
  transactions: z
    .array(z.tuple([z.int().nonnegative(), z.int().nonnegative()]))
    .optional()
    .describe(
      'Of a log: the numbers of the transactions that ended in it lie in these ranges, ends included; absent when they are not known.',
    ),
};

/** What the driver of a source says of a backup, such as the version of the server. */
export const driverDetails = z
  .record(z.string(), z.union([z.string(), z.int(), z.boolean()]))
  .describe('What the driver of the source says of it, such as the version of the server.');
