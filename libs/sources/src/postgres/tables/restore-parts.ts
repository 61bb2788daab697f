/** A database, or tables, of a cluster's backup, brought into a server that lives (what a bad night most often asks for: one table). */
import type { DatabaseRestore } from '@catena/events';
import type { BackupReader } from '@catena/vault';
import { RestoreError } from '../../port/restore-error.ts';
import type { ReportProgress, RestoreOptions, RestoreOutcome } from '../../port/source-driver.ts';
import { dropAbandoned } from './abandoned-databases.ts';
import { refuseOccupied } from './occupied-names.ts';
import { listRelations } from './relations.ts';
import { restoreDatabase } from './restore-database.ts';
import { restoreTables, type PartsRestored, type PartsWarning } from './restore-tables.ts';
import { ScratchCopy } from './scratch-copy.ts';
import type { SqlSession } from './sql-session.ts';
import { parseTablePattern } from './table-pattern.ts';
import { databaseExists, openMaintenance, targetDatabase } from './target-database.ts';
import { openTarget, shownTarget } from './target-server.ts';

/**
 * Brings up a copy of the cluster as it was, moves what is wanted in one transaction, and throws the copy away.
 * @throws RestoreError which says why; then nothing is at the target.
 */
export async function restoreParts(
  reader: BackupReader,
  wanted: DatabaseRestore,
  given: RestoreOptions,
): Promise<RestoreOutcome> {
  const { signal } = given;
  signal?.throwIfAborted();
  await refuseEarly(wanted, signal);
  const leftovers = await dropLeftovers(wanted, given);
  const { first, then: progress } = inPhases(given.progress);
  const options = { ...given, progress };
  await using scratch = await ScratchCopy.make(reader, wanted, { ...given, progress: first });
  const database = await databaseOf(scratch, wanted);
  using copy = await scratch.session(database);
  if (wanted.tables.length > 0) {
    using target = await openTarget(wanted.into, signal);
    const done = await whileWanted(signal, [copy, target], () =>
      restoreTables(scratch, database, copy, target, wanted, options),
    );
    return outcomeOf(done, leftovers);
  }
  const into = await targetDatabase(wanted.into, copy, options.run, signal);
  try {
    const done = await whileWanted(signal, [copy, into.session], () =>
      restoreDatabase(scratch, database, copy, into.session, wanted, options),
    );
    await into.publish();
    return outcomeOf(done, leftovers);
  } catch (error) {
    await into.discard();
    throw error;
  }
}

/** What can be known before the cluster is restored is looked at first: that takes long. */
async function refuseEarly(wanted: DatabaseRestore, signal: AbortSignal | undefined): Promise<void> {
  if (wanted.tables.length === 0) {
    if (wanted.schema !== undefined || wanted.replace)
      throw new RestoreError(
        'restore.targetNotUsable',
        'A whole database keeps its schemas, and replaces nothing.',
        {
          remedy: 'Name tables with --table, or leave out --to-schema and --replace.',
        },
      );
    await databaseExists(wanted.into, signal);
    return;
  }
  using target = await openTarget(wanted.into, signal);
  const isMeant = wanted.tables.filter((one) => !/[*?]/.test(one)).map(parseTablePattern);
  if (wanted.replace) return;
  const inPlace = await listRelations(target);
  if (wanted.schema === undefined) {
    const there = inPlace.filter((one) => isMeant.some((matches) => matches(one)));
    await refuseOccupied(target, there, shownTarget(wanted.into));
  }
}

/** Whole databases that nobody will finish any more (see `dropAbandoned`). */
async function dropLeftovers(
  { into, tables }: DatabaseRestore,
  { run, signal }: RestoreOptions,
): Promise<PartsWarning[]> {
  using session = await (tables.length === 0 ? openMaintenance(into, signal) : openTarget(into, signal));
  const { left } = await dropAbandoned(session, run);
  return left.map(({ name, error }) => ({
    code: 'postgres.leftoverNotDropped',
    message: `the database ${name} there, which a restore that was given up has left unfinished, was not dropped: ${error instanceof Error ? error.message : String(error)}`,
  }));
}

async function databaseOf(scratch: ScratchCopy, { database }: DatabaseRestore): Promise<string> {
  using session = await scratch.session('postgres');
  const all = await session.rows<{ name: string }>(
    'SELECT datname AS name FROM pg_catalog.pg_database WHERE NOT datistemplate AND datallowconn ORDER BY 1',
  );
  const names = all.map(({ name }) => name);
  if (database !== undefined && names.includes(database)) return database;
  const ofUsers = names.filter((name) => name !== 'postgres');
  const [only = 'postgres', another] = ofUsers;
  if (database === undefined && another === undefined) return only;
  throw new RestoreError(
    'restore.databaseUnknown',
    database === undefined
      ? 'The cluster has several databases.'
      : `The cluster had no database ${database} then.`,
    { remedy: `Name one with --database: ${names.join(', ')}.`, details: { databases: names } },
  );
}

/** A cancelled restore ends its sessions, wherever it is; the target rolls back. */
async function whileWanted<T>(
  signal: AbortSignal | undefined,
  sessions: readonly SqlSession[],
  work: () => Promise<T>,
): Promise<T> {
  const end = () => sessions.forEach((session) => session.close());
  signal?.addEventListener('abort', end, { once: true });
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** What is moved comes on top of what the copy was: figures never go back. */
function inPhases(report: ReportProgress = () => undefined): { first: ReportProgress; then: ReportProgress } {
  let files = 0;
  let bytes = 0;
  return {
    first: (progress) => {
      ({ files, bytes } = progress);
      report(progress);
    },
    then: ({ totalFiles, totalBytes, ...progress }) =>
      report({
        ...progress,
        ...{ files: files + progress.files, bytes: bytes + progress.bytes },
        ...(totalFiles === undefined ? {} : { totalFiles: files + totalFiles }),
        ...(totalBytes === undefined ? {} : { totalBytes: bytes + totalBytes }),
      }),
  };
}

function outcomeOf(
  { tables, bytes, warnings: ofParts }: PartsRestored,
  before: readonly PartsWarning[],
): RestoreOutcome {
  const warnings = [...before, ...ofParts];
  return {
    files: tables.length,
    bytes,
    bytesWritten: bytes,
    unchanged: 0,
    tables,
    warnings: warnings.map((warning) => ({ ...warning, path: new Uint8Array() })),
    warningCount: warnings.length,
  };
}
