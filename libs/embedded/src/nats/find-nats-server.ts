import { access, constants, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { resolveCache } from '../home/cache-folder.ts';
import { EmbeddedError } from '../embedded-error.ts';
import { waitForLock } from '../lock/exclusive-lock.ts';
import { fetchNatsFromApt } from './fetch-from-apt.ts';
import {
  compareVersions,
  isSuitableNatsVersion,
  MINIMUM_NATS_VERSION,
  probeNatsVersion,
} from './nats-version.ts';

/** A nats-server that runs on this machine and is new enough. */
export interface NatsBinary {
  path: string;
  version: string;
  from: 'CATENA_NATS_SERVER' | 'PATH' | 'cache' | 'fetched';
}

export interface FindNatsOptions {
  env?: NodeJS.ProcessEnv;
  /** Called with one line of text at each step that takes long. */
  onProgress?: (message: string) => void;
  /** False: throw embedded.nats-not-found rather than fetch. */
  fetch?: boolean;
}

/**
 * Finds nats-server ≥ 2.12: the binary `CATENA_NATS_SERVER` names, else one on PATH (and in the sbin folders, where
 * Debian puts it), else one in the cache, else one that is fetched into the cache. Safe when several processes do it at once.
 * Throws embedded.nats-unsuitable, embedded.nats-not-found or embedded.nats-fetch-failed.
 */
export async function findNatsServer(options: FindNatsOptions = {}): Promise<NatsBinary> {
  const env = options.env ?? process.env;
  const onProgress = options.onProgress ?? (() => undefined);
  if (env['CATENA_NATS_SERVER']) return namedBinary(path.resolve(env['CATENA_NATS_SERVER']));

  const cache = path.join(resolveCache(env), 'nats-server');
  const present = (await onPath(env)) ?? (await inCache(cache));
  if (present) return present;
  if (options.fetch === false) {
    throw new EmbeddedError(
      'embedded.nats-not-found',
      `No nats-server ${MINIMUM_NATS_VERSION} or newer is on PATH or in ${cache}`,
      'Install it and put it on PATH, or name the binary with CATENA_NATS_SERVER, or a running server with CATENA_NATS_URL.',
      { cache },
    );
  }

  await mkdir(cache, { recursive: true });
  const lock = await waitForLock(path.join(cache, 'fetch.lock'), 600_000, () =>
    onProgress('waiting for another process that is fetching nats-server'),
  );
  try {
    const fetchedMeanwhile = await inCache(cache);
    if (fetchedMeanwhile) return fetchedMeanwhile;
    const binary = await fetchNatsFromApt({ target: cache, onProgress });
    const found = await inCache(cache);
    if (!found) {
      throw new EmbeddedError(
        'embedded.nats-fetch-failed',
        `${binary} was fetched but does not run`,
        `Delete ${cache} and start again.`,
      );
    }
    return { ...found, from: 'fetched' };
  } finally {
    lock.release();
  }
}

async function namedBinary(binary: string): Promise<NatsBinary> {
  const probe = await probeNatsVersion(binary);
  const problem =
    'problem' in probe
      ? `does not run (${probe.problem})`
      : `is version ${probe.version}, older than ${MINIMUM_NATS_VERSION}`;
  if ('problem' in probe || !isSuitableNatsVersion(probe.version)) {
    throw new EmbeddedError(
      'embedded.nats-unsuitable',
      `CATENA_NATS_SERVER names ${binary}, which ${problem}`,
      `Name a nats-server ${MINIMUM_NATS_VERSION} or newer, or unset CATENA_NATS_SERVER to let one be found or fetched.`,
      { binary },
    );
  }
  return { path: binary, version: probe.version, from: 'CATENA_NATS_SERVER' };
}

async function onPath(env: NodeJS.ProcessEnv): Promise<NatsBinary | undefined> {
  const folders = new Set([
    ...(env['PATH'] ?? '').split(':').filter(Boolean),
    '/usr/local/sbin',
    '/usr/sbin',
  ]);
  for (const folder of folders) {
    const found = await suitable(path.join(folder, 'nats-server'), 'PATH');
    if (found) return found;
  }
  return undefined;
}

async function inCache(cache: string): Promise<NatsBinary | undefined> {
  const folders = (await readdir(cache).catch(() => []))
    .filter((name) => /^\d+\.\d+\.\d+-/.test(name) && name.endsWith(`-${process.arch}`))
    .sort((a, b) => compareVersions(b.split('-')[0] ?? '', a.split('-')[0] ?? ''));
  for (const folder of folders) {
    const found = await suitable(path.join(cache, folder, 'nats-server'), 'cache');
    if (found) return found;
  }
  return undefined;
}

async function suitable(binary: string, from: NatsBinary['from']): Promise<NatsBinary | undefined> {
  const executable = await access(binary, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!executable) return undefined;
  const probe = await probeNatsVersion(binary);
  return 'version' in probe && isSuitableNatsVersion(probe.version)
    ? { path: binary, version: probe.version, from }
    : undefined;
}
