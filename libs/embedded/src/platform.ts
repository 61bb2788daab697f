import path from 'node:path';
import { publishEndpoints, readEndpoints, withdrawEndpoints, type Endpoints } from './home/endpoints.ts';
import { externalServers, natsServer } from './home/external-servers.ts';
import { homeId, prepareHome, type HomeLayout } from './home/home-layout.ts';
import { takeHome } from './home/home-lock.ts';
import { PersistedPorts } from './home/persisted-ports.ts';
import { natsUsers, postgresSecrets, writeSecret, type ExternalServers } from './home/secret-file.ts';
import { checkExternalNats, checkExternalPostgres } from './external-check.ts';
import { findNatsServer } from './nats/find-nats-server.ts';
import { natsChild } from './nats/nats-child.ts';
import { renderAccounts, type NatsRole, type NatsUser } from './nats/service-accounts.ts';
import { SHARED_FOLDER } from './postgres/postgres-place.ts';
import { startCluster } from './postgres/start-cluster.ts';
import { endSurvivor } from './process/running-child.ts';
import { startOnPorts } from './process/start-on-ports.ts';
import { Supervisor, type ChildEvent, type RestartPolicy } from './process/supervisor.ts';
import { writeWhole } from './write-whole.ts';

/** What happens while the servers of a home start and run. */
export type PlatformEvent = ChildEvent | { type: 'progress'; part: string; message: string };

export interface PlatformOptions {
  /** The data folder; see `resolveHome`. */
  home: string;
  /** Told of progress, deaths and restarts; must not throw. */
  onEvent?: (event: PlatformEvent) => void;
  /** Use this NATS server instead of one of ours. Default: what `CATENA_NATS_URL` and `CATENA_NATS_USERS` name, if anything. */
  nats?: { url: string; users?: Partial<Record<NatsRole, NatsUser>> };
  /** Use this PostgreSQL database instead of one of ours. Default: what `CATENA_DATABASE_URL` names, if anything. */
  postgres?: { url: string };
  env?: NodeJS.ProcessEnv;
  restart?: Partial<RestartPolicy>;
  /** Where PostgreSQL goes when root starts it in a folder nobody else can enter. Default /var/lib/catena. */
  sharedFolder?: string;
}

/** One of the two servers. */
export interface PlatformServer {
  /** Pid of our own server; undefined for one that others run, and between a death and the restart. */
  readonly pid: number | undefined;
  readonly external: boolean;
}

/** The running servers of a home. */
export interface Platform extends AsyncDisposable {
  readonly home: string;
  readonly layout: HomeLayout;
  readonly endpoints: Endpoints;
  readonly nats: PlatformServer;
  readonly postgres: PlatformServer;
  /** Watches the servers; further processes of the home (the services) may be started on it and are stopped first. */
  readonly supervisor: Supervisor;
  /** Stops everything that was started here in the opposite order, and gives the home free. Servers of others go on. Once is enough. */
  stop(): Promise<void>;
}

/**
 * Starts (or adopts) nats-server and PostgreSQL of a home, unless addresses of others' are given, and waits until both
 * are healthy. Exactly one process has a home at a time; its servers outlive it when it is killed, and the next one
 * finds them; other processes of a killed parent (the services) are ended. Throws an EmbeddedError; then nothing that was started here is left running.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const env = options.env ?? process.env;
  const onEvent = options.onEvent ?? (() => undefined);
  const layout = prepareHome(path.resolve(options.home));
  const lock = await takeHome(layout);
  const supervisor = new Supervisor({
    folders: layout,
    onEvent,
    ...(options.restart === undefined ? {} : { restart: options.restart }),
  });
  try {
    const external: ExternalServers = {
      ...externalServers(env),
      ...(options.nats ? natsServer(options.nats.url, options.nats.users) : {}),
      ...(options.postgres ? { databaseUrl: options.postgres.url } : {}),
    };
    writeSecret(layout, 'external.json', external);
    const start: Start = {
      layout,
      env,
      onEvent,
      supervisor,
      ports: new PersistedPorts(layout),
      id: homeId(layout),
    };
    // Both are waited for even when one fails: what has started by then is stopped below.
    const [nats, postgres] = await Promise.allSettled([
      startNats(start, external),
      startPostgres(start, external, options.sharedFolder ?? SHARED_FOLDER),
    ]);
    if (nats.status === 'rejected') throw nats.reason;
    if (postgres.status === 'rejected') throw postgres.reason;
    // Services of a killed parent: with the servers up they can hand back what they hold. Those to come are started anew.
    await supervisor.endStrangers();
    publishEndpoints(layout, { ...nats.value, ...postgres.value });
  } catch (error) {
    await supervisor.stopAll();
    lock.release();
    throw error;
  }
  const endpoints = readEndpoints(layout.home, {});
  let stopping: Promise<void> | undefined;
  const stopAll = async () => {
    try {
      await supervisor.stopAll();
      withdrawEndpoints(layout);
    } finally {
      lock.release();
    }
  };
  const stop = () => (stopping ??= stopAll());
  const server = (name: string, external: boolean): PlatformServer => ({
    get pid() {
      return supervisor.child(name)?.pid;
    },
    external,
  });
  return {
    home: layout.home,
    layout,
    endpoints,
    nats: server('nats', endpoints.nats.external),
    postgres: server('postgres', endpoints.postgres.external),
    supervisor,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface Start {
  layout: HomeLayout;
  env: NodeJS.ProcessEnv;
  onEvent: (event: PlatformEvent) => void;
  supervisor: Supervisor;
  ports: PersistedPorts;
  id: string;
}

async function startNats(
  start: Start,
  external: ExternalServers,
): Promise<{ nats?: number; monitor?: number }> {
  const { layout, onEvent } = start;
  if (external.natsUrl !== undefined) {
    await endSurvivor({ name: 'nats', stopSignal: 'SIGTERM', stopWithinMs: 20_000 }, layout);
    await checkExternalNats(external.natsUrl, external.natsUsers ?? {});
    return {};
  }
  const onProgress = (message: string) => onEvent({ type: 'progress', part: 'nats', message });
  const binary = await findNatsServer({ env: start.env, onProgress });
  const users = natsUsers(layout);
  const accounts = renderAccounts({ passwordOf: (role) => JSON.stringify(users[role].password) });
  const accountsFile = path.join(layout.secrets, 'nats-accounts.conf');
  writeWhole(accountsFile, accounts, 0o600);
  const started = await startOnPorts(
    'nats',
    ['nats', 'nats-monitor'],
    start.ports,
    start.supervisor,
    layout.run,
    ([port = 0, monitorPort = 0]) =>
      natsChild({
        ...{ binary: binary.path, serverName: `catena-${start.id}`, port, monitorPort },
        ...{ folder: layout.nats, accountsFile, accounts, login: users.operator },
      }),
  );
  const [nats = 0, monitor = 0] = started.ports;
  return { nats, monitor };
}

async function startPostgres(
  start: Start,
  external: ExternalServers,
  sharedFolder: string,
): Promise<{ postgres?: number }> {
  const { layout, onEvent } = start;
  if (external.databaseUrl !== undefined) {
    await endSurvivor({ name: 'postgres', stopSignal: 'SIGINT', stopWithinMs: 60_000 }, layout);
    await checkExternalPostgres(external.databaseUrl);
    return {};
  }
  const { port } = await startCluster({
    ...{ name: 'postgres', layout, env: start.env, supervisor: start.supervisor, ports: start.ports },
    ...{ sharedFolder, secrets: postgresSecrets(layout), clusterName: `catena-${start.id}` },
    onProgress: (message) => onEvent({ type: 'progress', part: 'postgres', message }),
  });
  return { postgres: port };
}
