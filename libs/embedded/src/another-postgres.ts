import { homeId } from './home/home-layout.ts';
import { PersistedPorts } from './home/persisted-ports.ts';
import { postgresSecrets } from './home/secret-file.ts';
import type { Platform, PlatformEvent } from './platform.ts';
import { POSTGRES_ADMIN } from './postgres/init-cluster.ts';
import { postgresUrl } from './postgres/postgres-child.ts';
import { SHARED_FOLDER } from './postgres/postgres-place.ts';
import { startCluster } from './postgres/start-cluster.ts';

export interface AnotherPostgresOptions {
  /** Name of the process, the database and its owner; a lower-case word. */
  readonly name: string;
  /** Settings of postgresql.conf that win over those of a small machine. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines to add to pg_hba.conf. */
  readonly hostRules?: readonly string[];
  /** More arguments for initdb, for when the cluster is made. */
  readonly initdb?: readonly string[];
  /** Told what takes time; must not throw. */
  readonly onEvent?: (event: PlatformEvent) => void;
  readonly sharedFolder?: string;
}

/** A PostgreSQL server beside the one that holds the read models: something to protect. */
export interface AnotherPostgres {
  readonly host: string;
  readonly port: number;
  /** Its database as the superuser. */
  readonly adminUrl: string;
  /** Folder of its programs, which its user can run. */
  readonly bin: string;
  /** Its folder: `data` and `config` are in it, and there is room for more that its user must be able to enter. */
  readonly folder: string;
}

/**
 * Starts a further PostgreSQL server in the home of a running platform, made first when it is not there. It is watched
 * and stopped with the platform. Throws an EmbeddedError.
 */
export async function startAnotherPostgres(
  platform: Pick<Platform, 'layout' | 'supervisor'>,
  options: AnotherPostgresOptions,
): Promise<AnotherPostgres> {
  const { layout, supervisor } = platform;
  const { name, onEvent } = options;
  const secrets = postgresSecrets(layout, name);
  const { port, bin, folder } = await startCluster({
    ...{ name, layout, supervisor, secrets, below: name },
    env: process.env,
    ports: new PersistedPorts(layout),
    sharedFolder: options.sharedFolder ?? SHARED_FOLDER,
    clusterName: `catena-${homeId(layout)}-${name}`,
    ...(options.initdb === undefined ? {} : { initdb: options.initdb }),
    ...(options.settings === undefined ? {} : { extraSettings: options.settings }),
    ...(options.hostRules === undefined ? {} : { extraHostRules: options.hostRules }),
    onProgress: (message) => onEvent?.({ type: 'progress', part: 'postgres', message }),
  });
  const admin = { user: POSTGRES_ADMIN, password: secrets.adminPassword, database: secrets.database };
  return { host: '127.0.0.1', port, bin, folder, adminUrl: postgresUrl(port, admin) };
}
