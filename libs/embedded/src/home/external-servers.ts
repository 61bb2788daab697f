import { readFileSync } from 'node:fs';
import { EmbeddedError, reasonOf } from '../embedded-error.ts';
import { NATS_ROLES, type NatsRole, type NatsUser } from '../nats/service-accounts.ts';
import type { ExternalServers } from './secret-file.ts';

/**
 * The servers that the environment names instead of ours: `CATENA_NATS_URL` (a login in the address is used for every
 * role), `CATENA_NATS_USERS` (a JSON file of `{"<role>": {"user", "password"}}` for servers with an account per role), and
 * `CATENA_DATABASE_URL`.
 */
export function externalServers(env: NodeJS.ProcessEnv): ExternalServers {
  const natsUrl = env['CATENA_NATS_URL'];
  const databaseUrl = env['CATENA_DATABASE_URL'];
  const usersFile = env['CATENA_NATS_USERS'];
  return {
    ...(natsUrl ? natsServer(natsUrl, usersFile ? readUsers(usersFile) : undefined) : {}),
    ...(databaseUrl ? { databaseUrl } : {}),
  };
}

/** An address as clients take it, with the login that was part of it, or those of each role, beside it. */
export function natsServer(
  address: string,
  users?: Partial<Record<NatsRole, NatsUser>>,
): Required<Pick<ExternalServers, 'natsUrl' | 'natsUsers'>> {
  let login: NatsUser | undefined;
  const servers = address.split(',').map((text) => {
    const url = parseServer(text.trim());
    if (url.username)
      login = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
    return `${url.protocol}//${url.host}`;
  });
  const shared = login;
  const natsUsers = users ?? (shared ? Object.fromEntries(NATS_ROLES.map((role) => [role, shared])) : {});
  return { natsUrl: servers.join(','), natsUsers };
}

function parseServer(text: string): URL {
  try {
    return new URL(text.includes('://') ? text : `nats://${text}`);
  } catch {
    throw new EmbeddedError(
      'embedded.nats-unreachable',
      'The address of the NATS server is not an address',
      'Give CATENA_NATS_URL as nats://host:port, or several of them with commas.',
    );
  }
}

function readUsers(file: string): Partial<Record<NatsRole, NatsUser>> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Record<NatsRole, NatsUser>>;
  } catch (error) {
    throw new EmbeddedError(
      'embedded.nats-unreachable',
      `CATENA_NATS_USERS names ${file}, which cannot be read: ${reasonOf(error)}`,
      'It holds JSON: {"scheduler": {"user": …, "password": …}, …}, an entry for each role.',
      { file },
    );
  }
}
