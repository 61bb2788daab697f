import { existsSync } from 'node:fs';

export interface ServerToTry {
  readonly major: number;
  /** Folder of its programs; undefined: the embedded one. */
  readonly bin: string | undefined;
}

const EMBEDDED_MAJOR = 18;
const OTHER_MAJORS = [13, 14, 15, 16, 17];

/**
 * The embedded server, and at length (CATENA_TEST_LONG=1) every other major version that is installed: in
 * `CATENA_TEST_POSTGRES_<major>`, or where Debian puts it.
 */
export function serversToTry(environment: NodeJS.ProcessEnv = process.env): ServerToTry[] {
  const embedded = { major: EMBEDDED_MAJOR, bin: undefined };
  if (environment['CATENA_TEST_LONG'] !== '1') return [embedded];
  const installed = OTHER_MAJORS.map((major) => ({
    major,
    bin: environment[`CATENA_TEST_POSTGRES_${major}`] ?? `/usr/lib/postgresql/${major}/bin`,
  }));
  return [embedded, ...installed.filter(({ bin }) => existsSync(bin))];
}
