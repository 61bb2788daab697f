import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { resolveCache } from '../home/cache-folder.ts';
import { findPostgres } from '../postgres/find-postgres.ts';
import { initCluster, POSTGRES_ADMIN } from '../postgres/init-cluster.ts';
import { SHARED_FOLDER } from '../postgres/postgres-place.ts';
import { postgresChild, postgresUrl } from '../postgres/postgres-child.ts';
import { postgresUser } from '../postgres/system-user.ts';
import { usableBinaries } from '../postgres/usable-binaries.ts';
import { generatePassword } from '../home/password.ts';
import { holdLifeline } from './lifeline.ts';
import { TestServer } from './test-server.ts';

export interface TestPostgresOptions {
  /** True: sync to disk as the real one does, for tests that kill it. Default false: faster, and what is killed may be lost. */
  durable?: boolean;
  /** Settings of postgresql.conf that win over ours. */
  settings?: Readonly<Record<string, string>>;
  /** Lines to add to pg_hba.conf. */
  hostRules?: readonly string[];
  /** Folder of the programs of another version. */
  bin?: string;
  /** More for initdb, e.g. `--data-checksums`. */
  initdb?: readonly string[];
}

/** A PostgreSQL server of its own, with the logins of a real home. */
export interface TestPostgres {
  /** Database `catena` as its owner `catena`, who is no superuser: what the services get. */
  readonly url: string;
  /** The same database as superuser. */
  readonly adminUrl: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** The cluster's folder. */
  readonly dataDir: string;
  /** Folder of the programs it runs from, which its user can run. */
  readonly bin: string;
  /** Makes an empty database owned by `catena` and returns its address (as `catena`). */
  createDatabase(name?: string): Promise<string>;
  /** `kill -9` of the server's main process; returns when it is gone. */
  kill9(): Promise<void>;
  /** Graceful stop; the data stays for {@link restart}. */
  stop(): Promise<void>;
  /** Starts it again on the same port with the same data. Returns when it answers. */
  restart(): Promise<void>;
  /** Ends the server and deletes its folder. To be called in `afterAll`. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const THROW_AWAY = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

/** Starts a throw-away PostgreSQL on a free port (about a second). Works as root, too: the server is then dropped to another user. */
export async function startTestPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const runAs = await postgresUser();
  const copies = runAs ? path.join(SHARED_FOLDER, 'bin') : path.join(resolveCache(), 'postgres');
  const env = options.bin === undefined ? process.env : { CATENA_POSTGRES_BIN: options.bin };
  const bin = await usableBinaries(await findPostgres(env), runAs, copies);
  const temporary = await mkdtemp(path.join(tmpdir(), 'catena-pg-'));
  await chmod(temporary, runAs ? 0o711 : 0o700);
  const folders = { run: path.join(temporary, 'run'), logs: path.join(temporary, 'logs') };
  const folder = path.join(temporary, 'postgres');
  for (const each of [folders.run, folders.logs, folder]) await mkdir(each);
  await chmod(folder, runAs ? 0o711 : 0o700);
  const cancelLifeline = holdLifeline(folders.run, [temporary]);
  const cleanUp = async () => {
    await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
    cancelLifeline();
  };

  const secrets = {
    user: 'catena',
    password: generatePassword(),
    adminPassword: generatePassword(),
    database: 'catena',
  };
  const durable = options.durable ?? false;
  let server: TestServer;
  try {
    await initCluster({
      bin,
      dataDir: path.join(folder, 'data'),
      runAs,
      secrets,
      durable,
      initdb: options.initdb ?? [],
    });
    server = await TestServer.start(
      ([port]) =>
        postgresChild({
          ...{ bin, folder, runAs, port, secrets, clusterName: path.basename(temporary) },
          extraSettings: { ...(durable ? {} : THROW_AWAY), ...options.settings },
          extraHostRules: options.hostRules ?? [],
        }),
      folders,
    );
  } catch (error) {
    await cleanUp();
    throw error;
  }
  const admin = { user: POSTGRES_ADMIN, password: secrets.adminPassword };
  const adminUrl = postgresUrl(server.port, { ...admin, database: secrets.database });
  const close = async () => {
    await server.end();
    await cleanUp();
  };
  let created = 0;
  return {
    url: postgresUrl(server.port, secrets),
    adminUrl,
    host: '127.0.0.1',
    port: server.port,
    get pid() {
      return server.pid;
    },
    dataDir: path.join(folder, 'data'),
    bin,
    createDatabase: async (name = `test_${++created}`) => {
      const client = new pg.Client({ connectionString: adminUrl });
      await client.connect();
      try {
        await client.query(`create database ${client.escapeIdentifier(name)} owner ${secrets.user}`);
      } finally {
        await client.end();
      }
      return postgresUrl(server.port, { ...secrets, database: name });
    },
    kill9: () => server.kill9(),
    stop: () => server.stop(),
    restart: () => server.restart(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
