import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { resolveCache } from '../home/cache-folder.ts';
import type { HomeLayout } from '../home/home-layout.ts';
import type { PersistedPorts } from '../home/persisted-ports.ts';
import { startOnPorts } from '../process/start-on-ports.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { findPostgres } from './find-postgres.ts';
import { initCluster, type PostgresSecrets } from './init-cluster.ts';
import { postgresChild } from './postgres-child.ts';
import { postgresPlace } from './postgres-place.ts';
import { postgresUser } from './system-user.ts';
import { usableBinaries } from './usable-binaries.ts';

export interface ClusterOptions {
  /** Of the process and of its port; unique in the home. */
  readonly name: string;
  readonly layout: HomeLayout;
  readonly env: NodeJS.ProcessEnv;
  readonly supervisor: Supervisor;
  readonly ports: PersistedPorts;
  /** Where PostgreSQL goes when root starts it in a folder nobody else can enter. */
  readonly sharedFolder: string;
  readonly secrets: PostgresSecrets;
  readonly clusterName: string;
  /** Folder of its own below the place of the home's clusters; none for the home's own. */
  readonly below?: string;
  /** More arguments for initdb. */
  readonly initdb?: readonly string[];
  readonly extraSettings?: Readonly<Record<string, string>>;
  readonly extraHostRules?: readonly string[];
  readonly onProgress: (message: string) => void;
}

export interface StartedCluster {
  readonly port: number;
  /** Folder of the programs, which the server's user can run. */
  readonly bin: string;
  /** Holds `data` and `config`; the server's user can enter it. */
  readonly folder: string;
}

/** Starts (or adopts) a cluster of a home, made first when it is not there, and waits until it is healthy. */
export async function startCluster(options: ClusterOptions): Promise<StartedCluster> {
  const { name, layout, supervisor, secrets, sharedFolder, onProgress } = options;
  const place = await postgresPlace(layout, await postgresUser(), sharedFolder);
  const copies = place.runAs
    ? path.join(sharedFolder, 'bin')
    : path.join(resolveCache(options.env), 'postgres');
  const bin = await usableBinaries(await findPostgres(options.env), place.runAs, copies, onProgress);
  const folder = options.below === undefined ? place.folder : path.join(place.folder, options.below);
  await mkdir(folder, { recursive: true });
  if (options.below !== undefined) await chmod(folder, place.runAs ? 0o711 : 0o700);
  const dataDir = path.join(folder, 'data');
  const { runAs } = place;
  if (await initCluster({ bin, dataDir, runAs, secrets, durable: true, initdb: options.initdb ?? [] }))
    onProgress(`made a new PostgreSQL cluster in ${dataDir}`);
  const { ports } = await startOnPorts(name, [name], options.ports, supervisor, layout.run, ([port = 0]) =>
    postgresChild({
      ...{ name, bin, folder, runAs, port, secrets, clusterName: options.clusterName },
      ...(options.extraSettings === undefined ? {} : { extraSettings: options.extraSettings }),
      ...(options.extraHostRules === undefined ? {} : { extraHostRules: options.extraHostRules }),
    }),
  );
  return { port: ports[0] ?? 0, bin, folder };
}
