import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedError } from '../embedded-error.ts';
import { resolveCache } from '../home/cache-folder.ts';
import { runCommand } from '../process/run-command.ts';
import { findPostgres, parsePostgresVersion, type PostgresBinaries } from './find-postgres.ts';
import { SHARED_FOLDER } from './postgres-place.ts';
import type { SystemUser } from './system-user.ts';
import { usableBinaries } from './usable-binaries.ts';

export interface WantedPrograms {
  readonly major: number;
  /** Folder that holds them, when it is known: then no other will do. */
  readonly bin?: string | undefined;
  /** Who must be able to run them; undefined: we. */
  readonly user?: SystemUser | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/** Where distributions put the programs of a major version. */
const PLACES = [
  (major: number) => `/usr/lib/postgresql/${major}/bin`,
  (major: number) => `/usr/pgsql-${major}/bin`,
  (major: number) => `/usr/local/pgsql-${major}/bin`,
  (major: number) => `/opt/homebrew/opt/postgresql@${major}/bin`,
];

/**
 * Finds server programs of a major version: in the folder that is named; else where distributions put them, on PATH, in
 * `CATENA_POSTGRES_BIN`, and those of the npm package. Answers a folder whose programs the user can run.
 * @throws EmbeddedError `embedded.postgres-not-found`, which says where was looked.
 */
export async function findProgramsOfMajor(wanted: WantedPrograms): Promise<string> {
  const { major, bin, user, env = process.env } = wanted;
  const looked: string[] = [];
  for (const folder of bin === undefined ? await foldersToTry(major, env) : [path.resolve(bin)]) {
    const version = await versionIn(folder, user);
    if (version !== undefined && majorOf(version) === major) return folder;
    looked.push(version === undefined ? folder : `${folder} (${version})`);
  }
  const packaged = bin === undefined ? await packagedPrograms() : undefined;
  if (packaged !== undefined && majorOf(packaged.version) === major) {
    const copies =
      user === undefined ? path.join(resolveCache(env), 'postgres') : path.join(SHARED_FOLDER, 'bin');
    return await usableBinaries(packaged, user, copies);
  }
  if (packaged !== undefined) looked.push(`${packaged.bin} (${packaged.version})`);
  throw new EmbeddedError(
    'embedded.postgres-not-found',
    `No PostgreSQL ${major} that ${user?.name ?? 'this user'} can run was found in ${looked.join(', ')}`,
    `Install the server programs of PostgreSQL ${major} (on Debian: postgresql-${major}), or name the folder they are in.`,
    { major, looked },
  );
}

/** Folders without their repetitions, in the order of preference. */
async function foldersToTry(major: number, env: NodeJS.ProcessEnv): Promise<string[]> {
  const places = PLACES.map((place) => place(major));
  const onPath = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const named = env['CATENA_POSTGRES_BIN'];
  const folders = new Set([...places, ...onPath, ...(named === undefined ? [] : [path.resolve(named)])]);
  const holding = await Promise.all(
    [...folders].map(async (folder) => ((await holdsPostgres(folder)) ? [folder] : [])),
  );
  return holding.flat();
}

async function holdsPostgres(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.includes('postgres');
}

async function versionIn(bin: string, user: SystemUser | undefined): Promise<string | undefined> {
  const options = { cwd: '/', timeoutMs: 10_000, ...(user === undefined ? {} : { user }) };
  const { code, stdout } = await runCommand(path.join(bin, 'postgres'), ['--version'], options);
  return code === 0 ? parsePostgresVersion(stdout) : undefined;
}

/** Those of the npm package, if it is installed. */
async function packagedPrograms(): Promise<PostgresBinaries | undefined> {
  return await findPostgres({}).catch((error: unknown) => {
    if (error instanceof EmbeddedError) return undefined;
    throw error;
  });
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
