import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedError, reasonOf } from '../embedded-error.ts';
import { removeLeftovers } from '../leftovers.ts';
import { runCommand } from '../process/run-command.ts';
import {
  archivesOfSuite,
  parseDeb822Sources,
  parseOneLineSources,
  renderDeb822,
  type AptArchive,
} from './apt-sources.ts';
import { isSuitableNatsVersion, MINIMUM_NATS_VERSION, probeNatsVersion } from './nats-version.ts';

/** Names every Debian archive keeps current: the newest package is most likely here, and code names would go stale. */
const SUITES = ['testing', 'unstable', 'stable'] as const;

/** Begins the names of working folders. */
const WORK_PREFIX = '.fetch-';

export interface AptFetchOptions {
  /** Folder that gets `<version>-<architecture>/nats-server`; exists, and nobody else fetches into it now. */
  target: string;
  onProgress: (message: string) => void;
  /** The machine's apt configuration; another folder only in tests. */
  aptFolder?: string;
  osRelease?: string;
}

const remedy =
  `Install nats-server ${MINIMUM_NATS_VERSION} or newer and put it on PATH, or name the binary with ` +
  'CATENA_NATS_SERVER, or name a running server with CATENA_NATS_URL.';

/**
 * Downloads Debian's nats-server package of a newer suite through the machine's own apt configuration (same archives,
 * same keys, signatures checked), with private lists and caches so that nothing of the system changes and no privilege
 * is needed, and unpacks the binary. Returns its path. Throws embedded.nats-fetch-failed with what each suite said.
 */
export async function fetchNatsFromApt(options: AptFetchOptions): Promise<string> {
  const release = await debianRelease(options.osRelease ?? '/etc/os-release');
  const archives = await machineArchives(options.aptFolder ?? '/etc/apt');
  await removeLeftovers(options.target, WORK_PREFIX);
  const work = path.join(options.target, `${WORK_PREFIX}${process.pid}`);
  const failures: string[] = [];
  try {
    for (const suite of SUITES) {
      const chosen = archivesOfSuite(archives, release, suite);
      if (chosen.length === 0) {
        throw failed('the apt configuration of this machine names no main archive of its own release', {
          release,
        });
      }
      options.onProgress(`fetching nats-server from Debian ${suite}`);
      const result = await fetchFromSuite(work, chosen, suite);
      if ('problem' in result) {
        failures.push(`${suite}: ${result.problem}`);
        continue;
      }
      const installed = await install(result, options.target);
      options.onProgress(`nats-server ${result.version} is ready in ${path.dirname(installed)}`);
      return installed;
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  throw failed(`no Debian suite gave a usable nats-server (${failures.join('; ')})`, { failures });
}

function failed(problem: string, details: Record<string, unknown>): EmbeddedError {
  return new EmbeddedError(
    'embedded.nats-fetch-failed',
    `nats-server could not be fetched: ${problem}`,
    remedy,
    details,
  );
}

async function debianRelease(osRelease: string): Promise<string> {
  const text = await readFile(osRelease, 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(text)?.[1];
  if (field('ID') !== 'debian') {
    throw failed('it is fetched through apt on Debian only, and this machine is not Debian', {
      id: field('ID'),
    });
  }
  return field('VERSION_CODENAME') ?? 'stable';
}

async function machineArchives(aptFolder: string): Promise<AptArchive[]> {
  const archives: AptArchive[] = [];
  const read = (file: string) =>
    readFile(file, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw failed(`${file} cannot be read (${reasonOf(error)})`, { file });
    });
  archives.push(...parseOneLineSources(await read(path.join(aptFolder, 'sources.list'))));
  const parts = path.join(aptFolder, 'sources.list.d');
  for (const name of (await readdir(parts).catch(() => [])).sort()) {
    if (name.endsWith('.list')) archives.push(...parseOneLineSources(await read(path.join(parts, name))));
    if (name.endsWith('.sources')) archives.push(...parseDeb822Sources(await read(path.join(parts, name))));
  }
  return archives;
}

interface Unpacked {
  binary: string;
  version: string;
}

async function fetchFromSuite(
  work: string,
  archives: readonly AptArchive[],
  suite: string,
): Promise<Unpacked | { problem: string }> {
  await rm(work, { recursive: true, force: true });
  for (const folder of ['lists/partial', 'archives/partial', 'download', 'unpacked']) {
    await mkdir(path.join(work, folder), { recursive: true });
  }
  await writeFile(path.join(work, 'status'), '');
  await writeFile(path.join(work, 'suite.sources'), renderDeb822(archives));
  await writeFile(path.join(work, 'apt.conf'), privateConfiguration(work));
  const apt = (args: readonly string[]) =>
    runCommand('apt-get', ['-c', path.join(work, 'apt.conf'), '-q', ...args], {
      cwd: path.join(work, 'download'),
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
      timeoutMs: 300_000,
    });
  const updated = await apt(['update', '--error-on=any']);
  if (updated.code !== 0) return { problem: `apt-get update: ${lastError(updated.stderr)}` };
  const downloaded = await apt(['download', 'nats-server']);
  if (downloaded.code !== 0) return { problem: `apt-get download: ${lastError(downloaded.stderr)}` };
  const archive = (await readdir(path.join(work, 'download'))).find((name) => name.endsWith('.deb'));
  if (archive === undefined) return { problem: 'apt-get download left no package' };
  const unpacked = path.join(work, 'unpacked');
  const extracted = await runCommand('dpkg-deb', ['-x', path.join(work, 'download', archive), unpacked], {
    timeoutMs: 120_000,
  });
  if (extracted.code !== 0) return { problem: `dpkg-deb: ${lastError(extracted.stderr)}` };
  for (const folder of ['usr/sbin', 'usr/bin']) {
    const binary = path.join(unpacked, folder, 'nats-server');
    const probe = await probeNatsVersion(binary);
    if ('problem' in probe) continue;
    if (!isSuitableNatsVersion(probe.version)) return { problem: `${suite} has version ${probe.version}` };
    return { binary, version: probe.version };
  }
  return { problem: `the binary of package ${archive} does not run here` };
}

/** State, lists and caches of our own; no hook of the machine runs; pins and other archives of the machine do not count. */
function privateConfiguration(work: string): string {
  return [
    `Dir::State "${work}";`,
    `Dir::State::lists "${work}/lists";`,
    `Dir::State::status "${work}/status";`,
    `Dir::Cache "${work}";`,
    `Dir::Cache::archives "${work}/archives";`,
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
    `Dir::Etc::sourcelist "${work}/suite.sources";`,
    'Dir::Etc::sourceparts "/dev/null";',
    'Dir::Etc::preferences "/dev/null";',
    'Dir::Etc::preferencesparts "/dev/null";',
    `Dir::Log "${work}";`,
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    'Acquire::AllowInsecureRepositories "false";',
    'Acquire::AllowDowngradeToInsecureRepositories "false";',
    'APT::Get::AllowUnauthenticated "false";',
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '#clear DPkg::Post-Invoke;',
    '',
  ].join('\n');
}

function lastError(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return (
    (lines.findLast((line) => line.startsWith('E:')) ?? lines.at(-1) ?? '').replace(/^E: /, '') ||
    'no message'
  );
}

async function install(unpacked: Unpacked, target: string): Promise<string> {
  const folder = path.join(target, `${unpacked.version}-${process.arch}`);
  const staging = path.join(target, `${WORK_PREFIX}${process.pid}`, 'installed');
  await mkdir(staging);
  await copyFile(unpacked.binary, path.join(staging, 'nats-server'));
  await chmod(path.join(staging, 'nats-server'), 0o755);
  await rm(folder, { recursive: true, force: true });
  await rename(staging, folder).catch((error: unknown) => {
    throw failed(`it could not be put into the cache (${reasonOf(error)})`, { folder });
  });
  return path.join(folder, 'nats-server');
}
