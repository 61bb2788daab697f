/** A server on a restored copy, to look into it: on a socket of its own, reachable by nobody else. */
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { RestoreError } from '../../port/restore-error.ts';
import { markAsOwn, SOCKET_PREFIX, type OwnFolder } from './leftovers.ts';
import { programsFor } from './programs-for.ts';
import { readReached, type ReachedPlace } from './reached-place.ts';
import { ownerOf, runServer, type ServerProcess } from './server-process.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export interface ScratchServerOptions {
  /** The restored data folder. */
  readonly folder: string;
  /** Folder that holds `postgres` of the copy's major version; found when it is not named. */
  readonly bin?: string | undefined;
  /** The superuser of the cluster; default `postgres`. */
  readonly superuser?: string | undefined;
  /** How long recovery may take; an hour by default. */
  readonly readyMilliseconds?: number;
  readonly signal?: AbortSignal | undefined;
}

export const READY_MILLISECONDS = 3_600_000;
const STOP_MILLISECONDS = 60_000;
const TAIL_LINES = 15;
export const DEFAULT_SUPERUSER = 'postgres';

/** Stop it when it is not needed any more; it ends with this process, however that ends. */
export class ScratchServer {
  /** Folder of its socket: what to give as the host. */
  readonly host: string;
  readonly port = 5432;
  readonly #own: OwnFolder;
  readonly #process: ServerProcess;
  readonly #superuser: string;

  private constructor(host: string, own: OwnFolder, process: ServerProcess, superuser: string) {
    this.host = host;
    this.#own = own;
    this.#process = process;
    this.#superuser = superuser;
  }

  /**
   * Resolves when recovery has ended and it takes connections, from any role without a password.
   * @throws RestoreError `restore.copyNotStarted` with what its log says.
   * @throws EmbeddedError `embedded.postgres-not-found` when there are no programs of its version.
   */
  static async start(options: ScratchServerOptions): Promise<ScratchServer> {
    const { folder, signal } = options;
    signal?.throwIfAborted();
    const bin = await programsFor(folder, options.bin);
    const host = await mkdtemp(path.join(tmpdir(), SOCKET_PREFIX));
    const log = path.join(host, 'server.log');
    let own: OwnFolder | undefined;
    try {
      own = await markAsOwn(host);
      const rules = path.join(host, 'pg_hba.conf');
      await writeFile(rules, 'local all all trust\nlocal replication all trust\n');
      await writeFile(log, '');
      const owner = await ownerOf(folder);
      if (owner !== undefined) for (const each of [host, rules, log]) await chown(each, owner.uid, owner.gid);
      const settings = {
        // With it the server would say that it is ready while it still recovers.
        hot_standby: 'off',
        ...{ listen_addresses: '', unix_socket_directories: host, unix_socket_permissions: '0700' },
        ...{ port: '5432', hba_file: rules, archive_mode: 'off', ssl: 'off', logging_collector: 'off' },
      };
      const process = await runServer({ folder, bin, settings, log, outlives: false });
      const server = new ScratchServer(host, own, process, options.superuser ?? DEFAULT_SUPERUSER);
      await server.#untilReady(options, log);
      return server;
    } catch (error) {
      own?.release();
      await rm(host, { recursive: true, force: true });
      throw error;
    }
  }

  async #untilReady(options: ScratchServerOptions, log: string): Promise<void> {
    const { folder, signal, readyMilliseconds: milliseconds = READY_MILLISECONDS } = options;
    const { hasEnded } = this.#process;
    try {
      if (await waitUntilReady({ folder, hasEnded, milliseconds, signal })) return;
    } catch (error) {
      await this.stop('SIGQUIT');
      throw error;
    }
    const said = await tailOf(log);
    await this.stop('SIGQUIT');
    throw notStarted(folder, said);
  }

  /** A connection to one of its databases, as superuser; whoever asks ends it. */
  async connect(database = 'postgres', user = this.#superuser): Promise<pg.Client> {
    const client = new pg.Client({ host: this.host, port: this.port, user, database });
    await client.connect();
    return client;
  }

  /** How far its recovery came. */
  async reached(): Promise<ReachedPlace> {
    const client = await this.connect();
    try {
      return await readReached(client);
    } finally {
      await client.end();
    }
  }

  /** Ends it in order, or by force if that takes long, and removes what was made for it; the data folder stays. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    const { child, exited, hasEnded } = this.#process;
    child.kill(signal);
    const late = new AbortController();
    const patience = sleep(STOP_MILLISECONDS, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([exited, patience]);
    late.abort();
    if (!hasEnded()) child.kill('SIGKILL');
    await exited;
    this.#own.release();
    await rm(this.host, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#process.hasEnded()) await this.stop();
  }
}

/** The last lines that a server said. */
export async function tailOf(log: string): Promise<string> {
  return (await readFile(log, 'utf8')).trim().split('\n').slice(-TAIL_LINES).join('\n');
}

export function notStarted(folder: string, said: string): RestoreError {
  return new RestoreError(
    'restore.copyNotStarted',
    `The restored cluster in ${folder} does not start: ${said}`,
    {
      remedy: 'Read what the server says; restore from another backup if its data is the reason.',
      details: { folder },
    },
  );
}
