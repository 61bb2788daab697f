/** Starts a restored copy for those who want to work with it; it lives on when this process ends. */
import { chown, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { programsFor } from './programs-for.ts';
import { notStarted, READY_MILLISECONDS, tailOf } from './scratch-server.ts';
import { ownerOf, runServer } from './server-process.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export interface CopyToStart {
  readonly folder: string;
  readonly bin?: string | undefined;
  /** Listens there on localhost; absent: on its socket alone, so that it is in nobody's way. */
  readonly port?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StartedCopy {
  readonly pid: number;
  /** Folder of its socket: the host to connect to, as the folder's owner. */
  readonly host: string;
  readonly port: number;
  /** What it says goes there. */
  readonly log: string;
}

const SOCKET_PORT = 5432;
/** What a socket's address has room for. */
const SOCKET_PATH_BYTES = 107;

/** @throws RestoreError `restore.copyNotStarted` with what it says. */
export async function startCopy({ folder, bin, port, signal }: CopyToStart): Promise<StartedCopy> {
  const programs = await programsFor(folder, bin);
  const used = port ?? SOCKET_PORT;
  const host = await socketFolder(folder, used);
  const log = path.join(folder, 'start.log');
  await writeFile(log, '', { mode: 0o600 });
  const owner = await ownerOf(folder);
  if (owner !== undefined) await chown(log, owner.uid, owner.gid);
  const settings = {
    ...{ listen_addresses: port === undefined ? '' : 'localhost', port: String(used) },
    ...{ unix_socket_directories: host, unix_socket_permissions: '0700' },
  };
  const { child, exited, hasEnded } = await runServer({
    folder,
    bin: programs,
    settings,
    log,
    outlives: true,
  });
  let isReady = false;
  try {
    isReady = await waitUntilReady({ folder, hasEnded, milliseconds: READY_MILLISECONDS, signal });
    if (isReady && child.pid !== undefined) return { pid: child.pid, host, port: used, log };
    throw notStarted(folder, await tailOf(log));
  } finally {
    if (!isReady && child.kill('SIGINT')) await exited;
  }
}

/** The data folder itself, which nobody else can enter, unless its path is too long for a socket. */
async function socketFolder(folder: string, port: number): Promise<string> {
  if (Buffer.byteLength(path.join(folder, `.s.PGSQL.${port}`)) <= SOCKET_PATH_BYTES) return folder;
  const place = await mkdtemp(path.join(tmpdir(), 'catena-copy-'));
  const owner = await ownerOf(folder);
  if (owner !== undefined) await chown(place, owner.uid, owner.gid);
  return place;
}
