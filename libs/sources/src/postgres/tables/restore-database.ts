/** A whole database of a cluster as it was, into a new one or one that is empty. */
import type { DatabaseRestore } from '@catena/events';
import type { RestoreOptions } from '../../port/source-driver.ts';
import { RestoreError } from '../../port/restore-error.ts';
import { collationWarnings } from './collations.ts';
import { refuseMissing } from './missing-parts.ts';
import { listRelations, shownName } from './relations.ts';
import type { PartsRestored, PartsWarning } from './restore-tables.ts';
import { doWithoutRoles, listRoles, missingRoles } from './roles.ts';
import type { ScratchCopy } from './scratch-copy.ts';
import type { SqlSession } from './sql-session.ts';
import { extensionRows } from './table-content.ts';
import { tablespacesMissing } from './tablespaces.ts';
import { shownTarget } from './target-server.ts';
import { transfer } from './transfer.ts';

export async function restoreDatabase(
  scratch: ScratchCopy,
  database: string,
  copy: SqlSession,
  target: SqlSession,
  wanted: DatabaseRestore,
  options: Pick<RestoreOptions, 'signal' | 'progress' | 'beforeVisible'>,
): Promise<PartsRestored> {
  const where = shownTarget(wanted.into);
  await refuseMissingExtensions(copy, target, where);
  const roles = await missingRoles(target, await listRoles(copy, undefined, wanted));
  refuseMissing({ needs: [], roles }, new Set(wanted.skipMissing), where);
  const warnings: PartsWarning[] = [];
  let { owners } = wanted;
  if (roles.length > 0) {
    const { me } = await target.row<{ me: string }>('SELECT current_user AS me');
    owners = (await doWithoutRoles(copy, undefined, roles, me)) && owners;
    const names = [...new Set(roles.map(({ role }) => role))].join(', ');
    warnings.push({
      code: 'postgres.leftOut',
      message: `left out: what the roles ${names} owned or might do; there are none of these names. ${owners ? 'What they owned' : 'Everything'} belongs to ${me}`,
    });
  }
  const spaces = await tablespacesMissing(copy, target, undefined);
  const relations = await listRelations(copy);
  warnings.push(
    ...spaces.warnings,
    ...(await collationWarnings(copy, target, undefined)).map((message) => ({
      code: 'postgres.collationChanged',
      message,
    })),
    ...relations
      .filter(({ isUnlogged, kind }) => isUnlogged && kind === 'r')
      .map((one) => ({
        code: 'postgres.unloggedEmpty',
        message: `${shownName(one)} is unlogged: its rows are in no backup, and it is empty`,
      })),
    ...(await subscriptionsLeftOut(copy)),
  );
  const moved = await transfer({
    ...{ copy, target, address: wanted.into, login: scratch.login(database), relations },
    definitions: {
      owners,
      privileges: wanted.privileges,
      tablespaces: !spaces.missing,
      signal: options.signal,
    },
    extensions: await extensionRows(copy),
    largeObjects: true,
    ...{ atTheBeginning: [], atTheEnd: [] },
    ...{ beforeVisible: options.beforeVisible, progress: options.progress, signal: options.signal },
  });
  return { ...moved, warnings };
}

async function refuseMissingExtensions(copy: SqlSession, target: SqlSession, where: string): Promise<void> {
  const used = await copy.rows<{ name: string }>(
    'SELECT extname AS name FROM pg_catalog.pg_extension ORDER BY 1',
  );
  const there = await target.rows<{ name: string }>(
    'SELECT name FROM pg_catalog.pg_available_extensions WHERE name = ANY ($1)',
    [used.map(({ name }) => name)],
  );
  const lacking = used.filter(({ name }) => !there.some((one) => one.name === name)).map(({ name }) => name);
  if (lacking.length === 0) return;
  throw new RestoreError(
    'restore.partsMissing',
    `The server of ${where} does not have the extensions ${lacking.join(', ')}, which the database uses.`,
    {
      remedy: 'Install them on that machine, or restore the tables that do without them by --table.',
      details: { missing: lacking },
    },
  );
}

async function subscriptionsLeftOut(copy: SqlSession): Promise<PartsWarning[]> {
  const found = await copy.rows<{ name: string }>(
    `SELECT subname AS name FROM pg_catalog.pg_subscription
    WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`,
  );
  return found.map(({ name }) => ({
    code: 'postgres.leftOut',
    message: `left out: the subscription ${name}, which would take away what the source is sent`,
  }));
}
