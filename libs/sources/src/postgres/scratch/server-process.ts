/** Runs a server on a restored data folder, as the folder's owner: PostgreSQL refuses to run as root or as anybody else. */
import { spawn, type ChildProcess } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';

export interface ServerCommand {
  readonly folder: string;
  /** Folder that holds `postgres` of the copy's major version. */
  readonly bin: string;
  /** Settings that win over those of the folder. */
  readonly settings: Readonly<Record<string, string>>;
  /** File that takes what the server says; the folder's owner can write to it. */
  readonly log: string;
  /** True: it lives on when this process ends. False: it ends with it, however that ends. */
  readonly outlives: boolean;
}

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Resolves when it has ended. */
  readonly exited: Promise<void>;
  /** Whether it has. */
  readonly hasEnded: () => boolean;
}

/** Who a data folder belongs to; undefined when that is who we are. */
export async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | undefined> {
  const { uid, gid } = await stat(path.join(folder, 'PG_VERSION'));
  return uid === process.geteuid?.() ? undefined : { uid, gid };
}

/**
 * A pipe whose writing end only this process has: it closes when the process ends, also by `kill -9`, and the one who waits
 * at the other end then ends the server. He is nobody's child, so that the server does not wonder about him.
 */
const ENDS_WITH_US = '( (read -r _ <&3 || kill -QUIT $$) & ) ; exec "$@" 3<&-';

export async function runServer(command: ServerCommand): Promise<ServerProcess> {
  const { folder, bin, settings, log, outlives } = command;
  const owner = await ownerOf(folder);
  const output = await open(log, 'a', 0o600);
  const program = [
    path.join(bin, 'postgres'),
    ...['-D', folder],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const [file = '', ...args] = outlives ? program : ['/bin/sh', '-c', ENDS_WITH_US, 'sh', ...program];
  const child = spawn(file, args, {
    cwd: folder,
    stdio: ['ignore', output.fd, output.fd, ...(outlives ? [] : ['pipe' as const])],
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    detached: outlives,
    ...owner,
  });
  if (outlives) child.unref();
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  }).then(() => {
    ended = true;
    letWatcherGo(child);
  });
  await output.close();
  return { child, exited, hasEnded: () => ended };
}

/** The number may be another's by now: the one who waits is told that there is nothing to end any more. */
function letWatcherGo(child: ChildProcess): void {
  const pipe = child.stdio[3];
  if (pipe === undefined || pipe === null || !('write' in pipe)) return;
  pipe.on('error', () => undefined);
  pipe.end('ended\n');
}
