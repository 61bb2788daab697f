/** Moves definitions and rows into the target, in one transaction: all of it is there, or nothing is. */
import type { DatabaseAddress } from '@catena/events';
import { crashPoint } from '@catena/vault';
import type { ReportProgress } from '../../port/source-driver.ts';
import { serverErrorOf } from '../wire/failure.ts';
import { copyRows } from './copy-rows.ts';
import { dumpDefinitions, type DumpWanted } from './dump/dump-definitions.ts';
import type { DumpLogin } from './dump/dump-wire.ts';
import { moveLargeObjects } from './large-objects.ts';
import { nameOf, shownName, type Relation } from './relations.ts';
import type { SqlSession } from './sql-session.ts';
import {
  copyStatements,
  filledViews,
  setSequence,
  type ExtensionRows,
  type FutureStatistics,
} from './table-content.ts';
import { targetFailure } from './target-server.ts';

/** Since then a server knows the setting with which `pg_dump` begins its output. */
const TRANSACTION_TIMEOUT_SINCE = 17;
/** Since then a server can look whether its client is still there while it works. */
const CHECKS_CLIENT_SINCE = 14;
const INVALID_SETTING = '22023';

export interface Transfer {
  readonly copy: SqlSession;
  readonly target: SqlSession;
  readonly address: DatabaseAddress;
  readonly login: DumpLogin;
  readonly definitions: DumpWanted;
  /** As they are called in the copy, and in the target until `atTheEnd`. */
  readonly relations: readonly Relation[];
  readonly extensions?: readonly ExtensionRows[];
  readonly statistics?: readonly FutureStatistics[];
  readonly largeObjects?: boolean;
  readonly atTheBeginning: readonly string[];
  readonly atTheEnd: readonly string[];
  readonly beforeVisible?: (() => Promise<void>) | undefined;
  readonly progress?: ReportProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface MovedTable {
  readonly name: string;
  readonly rows: number;
}

export interface Transferred {
  readonly tables: readonly MovedTable[];
  readonly bytes: number;
}

/** @throws RestoreError `restore.targetRefused`; the target is as it was then. */
export async function transfer(work: Transfer): Promise<Transferred> {
  const { target, address, login, definitions, signal } = work;
  const [preData, postData] = await Promise.all([
    dumpDefinitions(login, 'pre-data', definitions),
    dumpDefinitions(login, 'post-data', definitions),
  ]);
  let doing = 'the restore';
  try {
    await watchClient(target);
    await target.run(`SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; BEGIN`);
    const step = async (what: string, work: () => Promise<unknown>) => {
      signal?.throwIfAborted();
      doing = what;
      await work();
    };
    const each = async (statements: readonly string[]) => {
      for (const statement of statements) await step(`"${statement}"`, () => target.run(statement));
    };
    await each(work.atTheBeginning);
    await step('the definitions', () => define(target, preData));
    const moved = await moveRows(work, step);
    crashPoint('postgres.rowsMoved');
    await step('the definitions that need rows', () => define(target, postData));
    await each((work.statistics ?? []).map(({ definition }) => definition));
    await each(
      (await filledViews(work.copy, work.relations)).map((name) => `REFRESH MATERIALIZED VIEW ${name}`),
    );
    await each(work.atTheEnd);
    await work.beforeVisible?.();
    await step('the end of the restore', () => target.run('COMMIT'));
    return moved;
  } catch (error) {
    signal?.throwIfAborted();
    throw targetFailure(error, doing, address);
  }
}

/** A server that looks whether its client is there ends a long statement soon after the restore was cancelled. */
async function watchClient(target: SqlSession): Promise<void> {
  if (target.majorVersion < CHECKS_CLIENT_SINCE) return;
  try {
    await target.run(`SET client_connection_check_interval = '1s'`);
  } catch (error) {
    // Not every system that servers run on can tell.
    if (serverErrorOf(error)?.code !== INVALID_SETTING) throw error;
  }
}

async function moveRows(
  work: Transfer,
  step: (what: string, work: () => Promise<unknown>) => Promise<void>,
): Promise<Transferred> {
  const { copy, target, relations, progress } = work;
  const withRows = relations.filter(({ kind, isUnlogged }) => kind === 'r' && !isUnlogged);
  const totalBytes = withRows.reduce((sum, one) => sum + one.bytes, 0);
  const tables: MovedTable[] = [];
  let bytes = 0;
  const move = async (table: Relation, condition?: string) => {
    const report = () =>
      progress?.({
        ...{ files: tables.length, totalFiles: withRows.length, bytes, current: shownName(table) },
        // What a table takes on disk says little of its rows: when they are more nobody knows how many will come.
        ...(totalBytes >= bytes ? { totalBytes } : {}),
      });
    report();
    const { read, write } = await copyStatements(copy, target, table, condition);
    const { rows } = await copyRows(copy, read, target, write, (more) => {
      bytes += more;
      report();
    });
    tables.push({ name: shownName(table), rows });
  };
  for (const table of withRows) await step(`the rows of ${shownName(table)}`, () => move(table));
  for (const { table, condition } of work.extensions ?? []) {
    if (table.kind === 'S') continue;
    await step(`the rows of ${shownName(table)}`, () => move(table, condition));
  }
  for (const sequence of relations.filter(({ kind }) => kind === 'S'))
    await step(`the sequence ${nameOf(sequence)}`, () => setSequence(copy, target, sequence));
  if (work.largeObjects === true)
    await step('large objects', async () => (bytes += await moveLargeObjects(copy, target)));
  return { tables, bytes };
}

/** Runs what `pg_dump` has written; a failure names the thing that it is about. */
async function define(target: SqlSession, text: string): Promise<void> {
  const known =
    target.majorVersion >= TRANSACTION_TIMEOUT_SINCE
      ? text
      : text.replace(/^SET transaction_timeout = 0;$/m, '');
  try {
    await target.run(known);
  } catch (error) {
    const { position } = error as { position?: string };
    const about = position === undefined ? undefined : entryAt(known, Number(position));
    if (about !== undefined && error instanceof Error) error.message = `${about}: ${error.message}`;
    throw error;
  }
}

/** What a place in the output is about, by the remark that `pg_dump` puts before each thing. */
function entryAt(text: string, position: number): string | undefined {
  const before = text.slice(0, position);
  const [, name, type] =
    /^-- Name: (.*); Type: ([^;]*); Schema: /m.exec(before.slice(before.lastIndexOf('\n-- Name: ') + 1)) ??
    [];
  return name === undefined ? undefined : `${type?.toLowerCase()} ${name}`;
}
