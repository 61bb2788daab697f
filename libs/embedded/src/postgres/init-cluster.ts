import { chmod, chown, mkdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedError } from '../embedded-error.ts';
import { removeLeftovers } from '../leftovers.ts';
import { runCommand, type CommandOptions } from '../process/run-command.ts';
import type { SystemUser } from './system-user.ts';

/** Logins of a cluster: `admin` is its superuser, `user` owns the database and is what the services use. */
export interface PostgresSecrets {
  user: string;
  password: string;
  adminPassword: string;
  database: string;
}

/** The superuser's name. */
export const POSTGRES_ADMIN = 'postgres';

export interface InitClusterOptions {
  bin: string;
  /** Where the cluster shall be; its parent exists. */
  dataDir: string;
  runAs: SystemUser | undefined;
  secrets: PostgresSecrets;
  /** False leaves out syncing to disk and shrinks the log files: throw-away clusters only. */
  durable: boolean;
  /** More arguments for initdb. */
  initdb?: readonly string[];
}

/**
 * Makes the cluster with its logins and database when it is not there. It appears whole or not at all.
 * Returns whether it was made now. Throws embedded.postgres-init-failed.
 */
export async function initCluster(options: InitClusterOptions): Promise<boolean> {
  if (await exists(path.join(options.dataDir, 'PG_VERSION'))) return false;
  const leftover = `${path.basename(options.dataDir)}.new-`;
  await removeLeftovers(path.dirname(options.dataDir), leftover);
  const staging = `${options.dataDir}.new-${process.pid}`;
  await mkdir(staging, { mode: 0o700 });
  await chmod(staging, 0o700);
  if (options.runAs) await chown(staging, options.runAs.uid, options.runAs.gid);
  const common: CommandOptions = {
    cwd: staging,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    timeoutMs: 300_000,
    ...(options.runAs === undefined ? {} : { user: options.runAs }),
  };
  const initdb = await runCommand(
    path.join(options.bin, 'initdb'),
    [
      ...['-D', staging, '-U', POSTGRES_ADMIN, '--encoding=UTF8', '--locale=C', '--auth=reject'],
      ...(options.durable ? [] : ['--no-sync', '--wal-segsize=4']),
      ...(options.initdb ?? []),
    ],
    common,
  );
  if (initdb.code !== 0) throw initFailed('initdb', initdb.stderr, options.dataDir);
  // One statement a line; on the standard input, so that no password is in a process list.
  const single = await runCommand(
    path.join(options.bin, 'postgres'),
    [
      '--single',
      '-D',
      staging,
      '-c',
      'exit_on_error=on',
      ...(options.durable ? [] : ['-c', 'fsync=off']),
      'postgres',
    ],
    { ...common, input: loginStatements(options.secrets) },
  );
  if (single.code !== 0) throw initFailed('postgres --single', single.stderr, options.dataDir);
  await rename(staging, options.dataDir);
  return true;
}

function loginStatements(secrets: PostgresSecrets): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  return [
    "SET password_encryption = 'scram-sha-256';",
    `ALTER ROLE ${POSTGRES_ADMIN} PASSWORD ${quoted(secrets.adminPassword)};`,
    `CREATE ROLE "${secrets.user}" LOGIN PASSWORD ${quoted(secrets.password)};`,
    `CREATE DATABASE "${secrets.database}" OWNER "${secrets.user}";`,
    '',
  ].join('\n');
}

function initFailed(step: string, stderr: string, dataDir: string): EmbeddedError {
  const tail = stderr.trim().split('\n').slice(-10).join('\n');
  return new EmbeddedError(
    'embedded.postgres-init-failed',
    `The PostgreSQL cluster ${dataDir} could not be made: ${step} failed and said:\n${tail}\n`,
    'Free space and permissions are the usual reasons; mend what it names, then start again.',
    { dataDir, step, tail },
  );
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
