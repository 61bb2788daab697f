import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface ServerToTry {
  readonly major: number;
  /** Folder of its programs; undefined: the embedded one. */
  readonly bin: string | undefined;
}

const EMBEDDED: ServerToTry = { major: 18, bin: undefined };
const OTHER_MAJORS = [13, 14, 15, 16, 17];
/** What `npm test` installs for this. */
const INSTALLED = fileURLToPath(
  new URL('../../../../../test/postgres-servers/node_modules/', import.meta.url),
);
/** Version 13 and 14 are not to be had for every machine. */
const IS_INSTALLED_WHOLE = process.platform === 'linux' && process.arch === 'x64';

/**
 * One server of every other major version that Catena protects: named by `CATENA_TEST_POSTGRES_<major>`, or as
 * test/postgres-servers has it, or where Debian puts it.
 * @throws Error when one is missing that `npm test` installs here.
 */
export function otherMajors(environment: NodeJS.ProcessEnv = process.env): ServerToTry[] {
  return OTHER_MAJORS.flatMap((major) => {
    const package_ = `postgres-${major}-${process.platform}-${process.arch}`;
    const places = [
      environment[`CATENA_TEST_POSTGRES_${major}`],
      `${INSTALLED}${package_}/native/bin`,
      debianProgramsOf(major),
    ];
    const bin = places.find((place) => place !== undefined && holdsServer(place));
    if (bin === undefined && IS_INSTALLED_WHOLE)
      throw new Error(
        `PostgreSQL ${major} is not installed: run npm ci in test/postgres-servers, or npm test.`,
      );
    return bin === undefined ? [] : [{ major, bin }];
  });
}

/** The embedded server, and at length (CATENA_TEST_LONG=1) one of every other major version, and Debian's. */
export function serversToTry(environment: NodeJS.ProcessEnv = process.env): ServerToTry[] {
  if (environment['CATENA_TEST_LONG'] !== '1') return [EMBEDDED];
  const others = otherMajors(environment);
  const debian = OTHER_MAJORS.map((major) => ({ major, bin: debianProgramsOf(major) })).filter(
    ({ bin }) => holdsServer(bin) && !others.some((other) => other.bin === bin),
  );
  return [EMBEDDED, ...others, ...debian];
}

/** Debian's package of the client makes the folder, too. */
function holdsServer(bin: string): boolean {
  return ['initdb', 'postgres'].every((program) => existsSync(`${bin}/${program}`));
}

function debianProgramsOf(major: number): string {
  return `/usr/lib/postgresql/${major}/bin`;
}
