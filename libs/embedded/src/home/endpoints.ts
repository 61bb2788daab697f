import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedError } from '../embedded-error.ts';
import type { NatsRole, NatsUser } from '../nats/service-accounts.ts';
import { postgresUrl } from '../postgres/postgres-child.ts';
import { writeWhole } from '../write-whole.ts';
import { externalServers } from './external-servers.ts';
import { homeLayout, type HomeLayout } from './home-layout.ts';
import { readHolder } from './home-lock.ts';
import { readSecret, type ExternalServers } from './secret-file.ts';
import type { PostgresSecrets } from '../postgres/init-cluster.ts';

/** How to reach the servers. Holds passwords: not for logs. */
export interface Endpoints {
  nats: {
    url: string;
    /** Logins by role. Of a server that others run, only those that were given; none means it asks for none. */
    users: Partial<Record<NatsRole, NatsUser>>;
    /** The server's monitoring, if it is ours. */
    monitorUrl?: string;
    /** Whether others run it. */
    external: boolean;
  };
  postgres: {
    /** `postgres://user:password@host:port/database`. */
    url: string;
    external: boolean;
  };
}

/** What lies in run/endpoints.json: where our own servers listen, without any secret. */
interface PublishedEndpoints {
  nats?: { url: string; monitorUrl: string };
  postgres?: { host: string; port: number; database: string; user: string };
}

/** Says in the home where its servers listen, for {@link readEndpoints} and for people. */
export function publishEndpoints(
  layout: HomeLayout,
  ports: { nats?: number; monitor?: number; postgres?: number },
): void {
  const secrets = readSecret(layout, 'postgres.json') as PostgresSecrets | undefined;
  const published: PublishedEndpoints = {
    ...(ports.nats === undefined
      ? {}
      : { nats: { url: `nats://127.0.0.1:${ports.nats}`, monitorUrl: `http://127.0.0.1:${ports.monitor}` } }),
    ...(ports.postgres === undefined || !secrets
      ? {}
      : {
          postgres: {
            host: '127.0.0.1',
            port: ports.postgres,
            database: secrets.database,
            user: secrets.user,
          },
        }),
  };
  writeWhole(endpointsFile(layout), `${JSON.stringify(published, undefined, 2)}\n`, 0o644);
}

export function withdrawEndpoints(layout: HomeLayout): void {
  rmSync(endpointsFile(layout), { force: true });
}

/**
 * Where the servers of a home are and how to log in, without starting anything: those the environment names, else those
 * the home was last started with. It does not ask whether they answer. Throws embedded.not-started, or
 * embedded.home-not-usable when the home's secrets are another user's.
 */
export function readEndpoints(home: string, env: NodeJS.ProcessEnv = process.env): Endpoints {
  const layout = homeLayout(home);
  const fromEnvironment = externalServers(env);
  const published = readPublished(layout);
  const external = {
    ...(readSecret(layout, 'external.json') as ExternalServers | undefined),
    ...fromEnvironment,
  };
  return {
    nats: natsEndpoint(layout, published, external),
    postgres: postgresEndpoint(layout, published, external),
  };
}

function natsEndpoint(
  layout: HomeLayout,
  published: PublishedEndpoints | undefined,
  external: ExternalServers,
): Endpoints['nats'] {
  if (external.natsUrl !== undefined) {
    return { url: external.natsUrl, users: external.natsUsers ?? {}, external: true };
  }
  if (!published?.nats) throw notStarted(layout, 'NATS', 'CATENA_NATS_URL');
  const users = (readSecret(layout, 'nats-users.json') ?? {}) as Endpoints['nats']['users'];
  return { ...published.nats, users, external: false };
}

function postgresEndpoint(
  layout: HomeLayout,
  published: PublishedEndpoints | undefined,
  external: ExternalServers,
): Endpoints['postgres'] {
  if (external.databaseUrl !== undefined) return { url: external.databaseUrl, external: true };
  const secrets = readSecret(layout, 'postgres.json') as PostgresSecrets | undefined;
  if (!published?.postgres || !secrets) throw notStarted(layout, 'PostgreSQL', 'CATENA_DATABASE_URL');
  return { url: postgresUrl(published.postgres.port, secrets), external: false };
}

function notStarted(layout: HomeLayout, what: string, variable: string): EmbeddedError {
  const holder = readHolder(layout);
  if (holder)
    return new EmbeddedError(
      'embedded.not-started',
      `The data folder ${layout.home} is being started or stopped by pid ${holder.pid}: its ${what} is not there`,
      'Ask again in a moment.',
      { home: layout.home, pid: holder.pid },
    );
  return new EmbeddedError(
    'embedded.not-started',
    `No ${what} of the data folder ${layout.home} is running`,
    `Start it with \`catena up\`, set CATENA_HOME to the folder that is running, or name a server with ${variable}.`,
    { home: layout.home },
  );
}

function readPublished(layout: HomeLayout): PublishedEndpoints | undefined {
  try {
    return JSON.parse(readFileSync(endpointsFile(layout), 'utf8')) as PublishedEndpoints;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function endpointsFile(layout: HomeLayout): string {
  return path.join(layout.run, 'endpoints.json');
}
