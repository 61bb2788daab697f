import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedError } from '../embedded-error.ts';
import type { ChildSpec } from '../process/child-spec.ts';
import { commandLineOf, identifyProcess } from '../process/process-identity.ts';
import { writeWhole } from '../write-whole.ts';
import type { PostgresSecrets } from './init-cluster.ts';
import { askPostgres } from './postgres-probe.ts';
import { renderHostRules, renderPostgresSettings } from './postgres-settings.ts';
import type { SystemUser } from './system-user.ts';

export interface PostgresChildOptions {
  /** Of the process; `postgres` by default. */
  name?: string;
  bin: string;
  /** Folder that holds `data` (the cluster) and gets `config`; both can be entered by `runAs`. */
  folder: string;
  runAs: SystemUser | undefined;
  port: number;
  clusterName: string;
  secrets: PostgresSecrets;
  extraSettings?: Readonly<Record<string, string>>;
  extraHostRules?: readonly string[];
}

const WRONG_PASSWORD = '28P01';

/**
 * PostgreSQL refuses to start while a process has the number in `postmaster.pid`, also a zombie (in a container whose
 * first process does not collect orphans a killed server stays one) or an unrelated program that got the number since.
 */
function dropStalePidFile(dataDir: string): void {
  const file = path.join(dataDir, 'postmaster.pid');
  let pid: number;
  try {
    pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const isPostgres =
    identifyProcess(pid) !== undefined && commandLineOf(pid)?.[0]?.includes('postgres') === true;
  if (!isPostgres) rmSync(file);
}

function otherPasswords(name: string, dataDir: string, cause: unknown): EmbeddedError {
  const instead =
    name === 'postgres' ? 'what it holds is built again from the event log' : 'an empty one takes its place';
  return new EmbeddedError(
    'embedded.postgres-unreachable',
    `The PostgreSQL data in ${dataDir} has other passwords than secrets/${name}.json`,
    `Restore that file, or delete ${dataDir}: ${instead}.`,
    { dataDir },
    cause,
  );
}

/** The address the services use, password included. */
export function postgresUrl(
  port: number,
  secrets: Pick<PostgresSecrets, 'user' | 'password' | 'database'>,
): string {
  return `postgres://${secrets.user}:${encodeURIComponent(secrets.password)}@127.0.0.1:${port}/${secrets.database}`;
}

/**
 * Writes the cluster's configuration and says how it is run. The configuration lies beside the data, in a folder of
 * our own, so that nothing is ever written into a folder that belongs to the user the server runs as.
 */
export function postgresChild(options: PostgresChildOptions): ChildSpec {
  const name = options.name ?? 'postgres';
  const config = path.join(options.folder, 'config');
  mkdirSync(config, { recursive: true });
  chmodSync(config, 0o755);
  const settingsFile = path.join(config, 'postgresql.conf');
  const rulesFile = path.join(config, 'pg_hba.conf');
  const settings = renderPostgresSettings({
    port: options.port,
    clusterName: options.clusterName,
    ...(options.extraSettings === undefined ? {} : { extra: options.extraSettings }),
  });
  const rules = renderHostRules(options.extraHostRules);
  writeWhole(settingsFile, settings, 0o644);
  writeWhole(rulesFile, rules, 0o644);
  const dataDir = path.join(options.folder, 'data');
  const url = postgresUrl(options.port, options.secrets);
  return {
    name,
    command: path.join(options.bin, 'postgres'),
    args: [...['-D', dataDir], ...['-c', `config_file=${settingsFile}`, '-c', `hba_file=${rulesFile}`]],
    cwd: options.folder,
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    port: options.port,
    configuration: settings + rules,
    probe: async () => {
      const { clusterName } = await askPostgres(url).catch((error: unknown) => {
        throw (error as { code?: string }).code === WRONG_PASSWORD
          ? otherPasswords(name, dataDir, error)
          : error;
      });
      if (clusterName !== options.clusterName) {
        throw new Error(`another PostgreSQL server (${clusterName}) answers on port ${options.port}`);
      }
    },
    // Sessions of a killed server work on for as long as their statement takes, and no new server starts beside them.
    isRemains: (commandLine) =>
      commandLine[0]?.startsWith(`postgres: ${options.clusterName}: `) === true ||
      (commandLine[1] === '-D' && commandLine[2] === dataDir),
    beforeStart: () => dropStalePidFile(dataDir),
    // Replaying the write-ahead log after a crash takes as long as it takes to read it.
    readyWithinMs: 300_000,
    // "Fast": ends the sessions, writes a checkpoint, needs no recovery.
    stopSignal: 'SIGINT',
    stopWithinMs: 60_000,
    ...(options.runAs === undefined ? {} : { user: options.runAs }),
  };
}
