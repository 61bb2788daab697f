import { resolve } from 'node:path';
import { databaseAddress, type DatabaseAddress } from '@catena/events';
import { UsageError } from './invocation.ts';

export interface PasswordPlace {
  toPasswordFile?: string;
  toPasswordEnv?: string;
}

const DEFAULT_PORT = 5432;

/**
 * Reads the address of a database as libpq writes it: `postgres://USER@HOST:PORT/DATABASE?sslmode=…&sslrootcert=…`, with
 * `?host=/folder` for a socket.
 * @throws UsageError for what is none, and for one with a password: others see the command line.
 */
export function readDatabaseAddress(text: string, place: PasswordPlace): DatabaseAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol))
    throw new UsageError(`"${shown(text)}" is not the address of a database.`, EXAMPLE);
  if (url.password !== '')
    throw new UsageError(
      'A password in an address is seen by everybody who lists the processes of the machine.',
      'Leave it out, and say where it is found: --to-password-file FILE or --to-password-env NAME.',
    );
  if (place.toPasswordFile !== undefined && place.toPasswordEnv !== undefined)
    throw new UsageError('The password is in one place: --to-password-file or --to-password-env.');
  const { searchParams: more } = url;
  for (const name of more.keys())
    if (!['host', 'sslmode', 'sslrootcert'].includes(name))
      throw new UsageError(`"${name}" is not known in the address of a database.`, EXAMPLE);
  const ca = more.get('sslrootcert');
  const read = databaseAddress.safeParse({
    host: more.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    user: decodeURIComponent(url.username),
    database: decodeURIComponent(url.pathname.slice(1)),
    tls: { mode: more.get('sslmode') ?? 'prefer', ...(ca === null ? {} : { ca: resolve(ca) }) },
    ...(place.toPasswordFile === undefined ? {} : { password: { file: resolve(place.toPasswordFile) } }),
    ...(place.toPasswordEnv === undefined ? {} : { password: { env: place.toPasswordEnv } }),
  });
  if (read.success) return read.data;
  const wrong = [...new Set(read.error.issues.map(({ path }) => path.join('.')))].join(', ');
  throw new UsageError(`"${text}" does not say everything, or not rightly: ${wrong}.`, EXAMPLE);
}

const EXAMPLE = 'Write postgres://USER@HOST:PORT/DATABASE, as in postgres://bank@db.example:5432/bank.';

/** What cannot be read may still hold a password. */
function shown(text: string): string {
  return text.replace(/:[^:@/]*@/, ':…@');
}
