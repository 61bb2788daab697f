import { EmbeddedError } from '../embedded-error.ts';
import { runCommand } from '../process/run-command.ts';

/** A user of this machine that a child runs as. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/** Users that PostgreSQL is dropped to when root starts it; the first that exists. */
const CANDIDATES = ['postgres', 'catena', 'nobody'] as const;

/** Whom PostgreSQL, which refuses to run as root, runs as: undefined means "as whoever we are". Throws embedded.postgres-user-missing. */
export async function postgresUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of CANDIDATES) {
    const found = await lookUpUser(name);
    if (found) return found;
  }
  throw new EmbeddedError(
    'embedded.postgres-user-missing',
    `PostgreSQL does not run as root, and none of the users ${CANDIDATES.join(', ')} exists`,
    'Make one (useradd --system catena), start as a normal user, or name a running server with CATENA_DATABASE_URL.',
  );
}

/** A user by name or number; undefined when there is no such user. */
export async function lookUpUser(nameOrId: string): Promise<SystemUser | undefined> {
  const ask = async (flags: string) => {
    const result = await runCommand('id', [flags, nameOrId], { timeoutMs: 5_000 });
    return result.code === 0 ? result.stdout.trim() : undefined;
  };
  const uid = await ask('-u');
  const gid = await ask('-g');
  const name = await ask('-un');
  if (uid === undefined || gid === undefined || name === undefined) return undefined;
  return { name, uid: Number(uid), gid: Number(gid) };
}

/** Whether that user can enter a folder and read it, found out by trying as that user. */
export async function canUserEnter(folder: string, user: SystemUser | undefined): Promise<boolean> {
  const result = await runCommand('/bin/sh', ['-c', 'test -x "$1" && cd "$1"', 'probe', folder], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    timeoutMs: 5_000,
    ...(user === undefined ? {} : { user }),
  });
  return result.code === 0;
}
