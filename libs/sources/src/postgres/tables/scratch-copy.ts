/** A copy of the whole cluster as it was at a moment, running where nobody else reaches it, and thrown away in the end. */
import { createHash } from 'node:crypto';
import { appendFile, chown, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BackupReader } from '@catena/vault';
import { RestoreError } from '../../port/restore-error.ts';
import type { RestoreOptions } from '../../port/source-driver.ts';
import { refuseUnstartable } from '../restoring/can-be-started.ts';
import { accountOf, makeWay } from '../restoring/open-way.ts';
import { restoreCluster } from '../restoring/restore-cluster.ts';
import { ownerOf } from '../scratch/server-process.ts';
import {
  markAsOwn,
  SCRATCH_PREFIX,
  SOCKET_PREFIX,
  sweepScratch,
  type OwnFolder,
} from '../scratch/leftovers.ts';
import { compareReached } from '../scratch/expected-end.ts';
import type { ReachedPlace } from '../scratch/reached-place.ts';
import { DEFAULT_SUPERUSER, ScratchServer } from '../scratch/scratch-server.ts';
import { serverErrorOf } from '../wire/failure.ts';
import { parseLsn } from '../wire/lsn.ts';
import type { DumpLogin } from './dump/dump-wire.ts';
import { SqlSession } from './sql-session.ts';

export interface ScratchPlace {
  /** Folder that has room for the whole cluster; that of temporary files by default. */
  readonly scratch?: string | undefined;
  /** Folder of server programs of the cluster's major version; found when it is not named. */
  readonly programs?: string | undefined;
  /** The superuser of the cluster; `postgres` by default. */
  readonly superuser?: string | undefined;
}

/** What a server says to a role that it does not have. */
const NO_SUCH_ROLE = '28000';

/** It is looked into once and lost with the machine: no sync, and nothing that works beside. */
const SETTINGS = `
# A copy to be looked into once.
fsync = off
full_page_writes = off
autovacuum = off
jit = off
`;

export class ScratchCopy {
  readonly #folder: string;
  readonly #own: OwnFolder;
  readonly #server: ScratchServer;
  readonly superuser: string;

  private constructor(folder: string, own: OwnFolder, server: ScratchServer, superuser: string) {
    this.#folder = folder;
    this.#own = own;
    this.#server = server;
    this.superuser = superuser;
  }

  /** Restores the cluster and starts it. Whatever an earlier attempt of the run has left is removed first. */
  static async make(
    reader: BackupReader,
    { scratch = tmpdir(), programs, superuser = DEFAULT_SUPERUSER }: ScratchPlace,
    options: RestoreOptions,
  ): Promise<ScratchCopy> {
    const { run, logs, stop, signal, progress, limits } = options;
    const label = createHash('sha256').update(run).digest('hex').slice(0, 16);
    const folder = path.join(scratch, `${SCRATCH_PREFIX}${label}`);
    const data = path.join(folder, 'data');
    const account = await accountOf(reader, options);
    const places = [folder, path.join(tmpdir(), SOCKET_PREFIX)];
    await refuseUnstartable({ reader, account, places }, { start: 'stopAgain', programs });
    await rm(folder, { recursive: true, force: true });
    if (account !== undefined) makeWay(folder);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const place of new Set([scratch, tmpdir()])) await sweepScratch(place);
    let own: OwnFolder | undefined;
    try {
      own = await markAsOwn(folder);
      const { cluster } = await restoreCluster(reader, data, {
        run,
        ...(logs === undefined ? {} : { logs }),
        ...(stop === undefined ? {} : { stop }),
        ...(signal === undefined ? {} : { signal }),
        ...(progress === undefined ? {} : { progress }),
        ...(limits === undefined ? {} : { limits }),
      });
      const owner = await ownerOf(data);
      if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
      await appendFile(path.join(data, 'postgresql.conf'), SETTINGS);
      const server = await ScratchServer.start({ folder: data, bin: programs, superuser, signal });
      const copy = new ScratchCopy(folder, own, server, superuser);
      try {
        await copy.#checkReached(data, cluster?.planned);
      } catch (error) {
        await server.stop('SIGQUIT');
        throw error;
      }
      return copy;
    } catch (error) {
      own?.release();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async #checkReached(folder: string, planned: string | undefined): Promise<void> {
    let reached: ReachedPlace;
    try {
      reached = await this.#server.reached();
    } catch (error) {
      if (serverErrorOf(error)?.code !== NO_SUCH_ROLE) throw error;
      throw new RestoreError('restore.copyNotReadable', `The cluster has no role ${this.superuser}.`, {
        remedy: 'Name its superuser with --superuser.',
        details: { superuser: this.superuser },
        cause: error,
      });
    }
    // Where only the server can tell, it has stopped with an error if it did not come there.
    if (planned !== undefined)
      compareReached(folder, { position: parseLsn(planned), isExact: true }, reached);
  }

  /** What `pg_dump` needs to look into a database of it. */
  login(database: string): DumpLogin {
    return { host: this.#server.host, port: this.#server.port, user: this.superuser, database };
  }

  /** A session as superuser, in which nothing that users have defined acts by itself. */
  async session(database: string): Promise<SqlSession> {
    const client = await this.#server.connect(database, this.superuser);
    client.on('error', () => undefined);
    const session = await SqlSession.on(client);
    await session.run(
      `SET session_replication_role = replica; SET search_path = pg_catalog; SET statement_timeout = 0; SET lock_timeout = 0;
      SET idle_in_transaction_session_timeout = 0; SET row_security = off`,
    );
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#server.stop('SIGQUIT');
    } finally {
      this.#own.release();
      await rm(this.#folder, { recursive: true, force: true });
    }
  }
}
