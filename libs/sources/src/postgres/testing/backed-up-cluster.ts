/** A protected cluster with a repository of its own, for tests of the driver without the platform around it. */
import type { LogStream, RestoreStop } from '@catena/events';
import { initialiseRepository, type BackupPlan, type Collection, type Repository } from '@catena/vault';
import { chmodSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import pg from 'pg';
import { ScratchFolder } from '../../testing/sample-tree.ts';
import type { RestoreOptions, RestoreOutcome } from '../../port/source-driver.ts';
import { postgresDriver } from '../postgres-driver.ts';
import { ScratchServer } from '../scratch/scratch-server.ts';
import { BACKUP_ROLE, startProtectedCluster, type ProtectedCluster } from './protected-cluster.ts';

/** Logs to roll forward through, and where to stop in them. */
export interface LogsAfter {
  readonly logs?: readonly string[];
  readonly stop?: RestoreStop;
}

export type Sql = (text: string) => Promise<object[]>;

export class BackedUpCluster {
  readonly cluster: ProtectedCluster;
  readonly collection: Collection;
  readonly #repository: Repository;
  readonly #scratch: ScratchFolder;
  /** What the definition would say; a test may add to it. */
  spec: Record<string, unknown>;
  #runs = 0;

  private constructor(cluster: ProtectedCluster, repository: Repository, scratch: ScratchFolder) {
    this.cluster = cluster;
    this.#repository = repository;
    this.#scratch = scratch;
    this.collection = repository.collection('cluster');
    const { host, port, user } = cluster.address;
    this.spec = { host, port, user, password: { env: 'TEST_BACKUP_PASSWORD' }, tls: { mode: 'disable' } };
  }

  static async start(options: Parameters<typeof startProtectedCluster>[0] = {}): Promise<BackedUpCluster> {
    process.env['TEST_BACKUP_PASSWORD'] = BACKUP_ROLE.password;
    const scratch = new ScratchFolder();
    // The server's user must get to what is restored.
    chmodSync(scratch.at(), 0o755);
    const cluster = await startProtectedCluster(options);
    const folder = scratch.at('repository');
    return new BackedUpCluster(
      cluster,
      await initialiseRepository(folder, { keys: [], installation: 'here' }),
      scratch,
    );
  }

  at(...names: string[]): string {
    return this.#scratch.at(...names);
  }

  async backup(id: string, type: BackupPlan['type'], more: Partial<BackupPlan> = {}, signal?: AbortSignal) {
    const writer = await this.#begin(id, type, more);
    const options = { collection: 'cluster', ...(signal === undefined ? {} : { signal }) };
    try {
      const outcome = await postgresDriver.backup(this.spec, writer, options);
      return { outcome, manifest: (await writer.finish(outcome.summary)).manifest };
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  /** Restores a backup, and logs after it, and answers the folder. */
  async restore(id: string, after: LogsAfter = {}): Promise<string> {
    const folder = this.at('restored', id);
    await this.restoreTo(folder, id, after);
    return folder;
  }

  /** Restores a backup, with logs on top of it if they are named. */
  async restoreTo(
    folder: string,
    id: string,
    {
      logs = [],
      ...options
    }: { readonly logs?: readonly string[] } & Partial<Omit<RestoreOptions, 'logs'>> = {},
  ): Promise<RestoreOutcome> {
    await using open = new AsyncDisposableStack();
    const reader = await this.collection.openBackup(id);
    open.defer(() => reader.close());
    const rolled = (await this.collection.backups(logs)).map(({ manifest }) => ({
      manifest,
      open: () => this.collection.openBackup(manifest.backup),
    }));
    return await postgresDriver.restore(reader, folder, {
      run: `restore-${id}`,
      ...(rolled.length === 0 ? {} : { logs: rolled }),
      ...options,
    });
  }

  /**
   * Adds a log backup from a position on.
   * @param fork the branch it lies on; absent: the one the server is on
   * @param stream follows the log as it is written, until it is to be sealed
   */
  async log(id: string, start: string, more: Partial<BackupPlan> = {}, fork?: string, stream?: LogStream) {
    const writer = await this.#begin(id, 'log', more);
    try {
      const place = { start, ...(fork === undefined ? {} : { fork }) };
      const how = stream === undefined ? {} : { stream };
      const options = { collection: 'cluster', ...place, ...how, copyOnly: more.copyOnly ?? false };
      const outcome = await postgresDriver.log!.backup(this.spec, writer, options);
      return (await writer.finish(outcome.summary)).manifest;
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }

  /** Restores a backup, starts it, looks into its database `catena`, and removes it. */
  async restored<T>(id: string, look: (sql: Sql) => Promise<T>, after: LogsAfter = {}): Promise<T> {
    const folder = await this.restore(id, after);
    const server = await ScratchServer.start({ folder, bin: this.cluster.server.bin });
    try {
      const client = new pg.Client({
        host: server.host,
        port: server.port,
        user: 'postgres',
        database: 'catena',
      });
      await client.connect();
      try {
        return await look(async (text) => (await client.query<object>(text)).rows);
      } finally {
        await client.end();
      }
    } finally {
      await server.stop();
      await rm(folder, { recursive: true });
      await rm(`${folder}.tablespaces`, { recursive: true, force: true });
    }
  }

  async #begin(id: string, type: BackupPlan['type'], more: Partial<BackupPlan>) {
    this.#runs += 1;
    const family = await postgresDriver.family(this.spec);
    return await this.collection.beginBackup({
      ...{ backupId: id, run: `run-${this.#runs}`, attempt: 1, type, startedAt: new Date() },
      source: { name: 'c', uid: 'c', family, driver: 'postgres' },
      ...more,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await this.#repository.close();
    this.#scratch.remove();
  }
}
