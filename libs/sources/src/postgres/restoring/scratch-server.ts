/** Starts a restored copy to see that it lives: on a socket of its own, reachable by nobody else. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RestoreError } from '../../port/restore-error.ts';

export interface ScratchServerOptions {
  /** The restored data folder. */
  readonly folder: string;
  /** Folder that holds `postgres` of the copy's major version; its owner must be able to run it. */
  readonly bin: string;
  /** How long recovery may take; 10 minutes by default. */
  readonly readyMilliseconds?: number;
  readonly signal?: AbortSignal | undefined;
}

const READY_MILLISECONDS = 600_000;
const POLL_MILLISECONDS = 50;
/** Line of postmaster.pid that says how far the server is. */
const STATUS_LINE = 7;
const TAIL_LINES = 15;

/** A server on a restored copy. Stop it: it is a process of its own. */
export class ScratchServer {
  /** Folder of its socket: what to give as the host. */
  readonly host: string;
  readonly port = 5432;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(host: string, child: ChildProcess, exited: Promise<void>) {
    this.host = host;
    this.#child = child;
    this.#exited = exited;
  }

  /** Resolves when recovery has ended and it takes connections. Throws `restore.copyNotStarted` with what its log says. */
  static async start(options: ScratchServerOptions): Promise<ScratchServer> {
    options.signal?.throwIfAborted();
    const { uid, gid } = await stat(options.folder);
    const isOther = uid !== process.geteuid?.();
    const host = await mkdtemp(path.join(tmpdir(), 'catena-copy-'));
    const rules = path.join(host, 'pg_hba.conf');
    const log = path.join(host, 'server.log');
    await writeFile(rules, 'local all all trust\nlocal replication all trust\n');
    await writeFile(log, '');
    if (isOther) for (const each of [host, rules, log]) await chown(each, uid, gid);
    const output = await open(log, 'a');
    const settings = {
      ...{ listen_addresses: '', unix_socket_directories: host, unix_socket_permissions: '0700' },
      ...{ port: '5432', hba_file: rules, archive_mode: 'off', ssl: 'off', logging_collector: 'off' },
    };
    const child = spawn(
      path.join(options.bin, 'postgres'),
      [
        '-D',
        options.folder,
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      {
        cwd: options.folder,
        stdio: ['ignore', output.fd, output.fd],
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
        ...(isOther ? { uid, gid } : {}),
      },
    );
    let ended = false;
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    }).then(() => {
      ended = true;
    });
    await output.close();
    const server = new ScratchServer(host, child, exited);
    try {
      await untilReady(options, () => ended);
      return server;
    } catch (error) {
      const said = (await readFile(log, 'utf8')).trim().split('\n').slice(-TAIL_LINES).join('\n');
      await server.stop('SIGQUIT');
      throw error instanceof RestoreError ? notStarted(options.folder, said) : error;
    }
  }

  /** Ends it in order and removes what was made for it; the data folder stays. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    this.#child.kill(signal);
    await this.#exited;
    await rm(this.host, { recursive: true, force: true });
  }
}

/** Recovery is over when the server has removed the file that asked for it, and says in its pid file that it is ready. */
async function untilReady(options: ScratchServerOptions, hasEnded: () => boolean): Promise<void> {
  const deadline = performance.now() + (options.readyMilliseconds ?? READY_MILLISECONDS);
  while (performance.now() < deadline) {
    options.signal?.throwIfAborted();
    if (hasEnded()) break;
    const status = (await textIfThere(path.join(options.folder, 'postmaster.pid')))?.split('\n')[STATUS_LINE];
    const recovers = (await textIfThere(path.join(options.folder, 'recovery.signal'))) !== undefined;
    if (status?.trim() === 'ready' && !recovers) return;
    await sleep(POLL_MILLISECONDS);
  }
  throw notStarted(options.folder, '');
}

async function textIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function notStarted(folder: string, said: string): RestoreError {
  return new RestoreError(
    'restore.copyNotStarted',
    `The restored cluster in ${folder} does not start: ${said}`,
    {
      remedy: 'Read what the server says; restore from another backup if its data is the reason.',
      details: { folder },
    },
  );
}
