import { readFileSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedError } from '../embedded-error.ts';
import { NATS_ROLES, type NatsRole, type NatsUser } from '../nats/service-accounts.ts';
import type { PostgresSecrets } from '../postgres/init-cluster.ts';
import { writeWhole } from '../write-whole.ts';
import type { HomeLayout } from './home-layout.ts';
import { generatePassword } from './password.ts';

/** Addresses of servers that others run. They may hold passwords, so they are kept with the secrets. */
export interface ExternalServers {
  natsUrl?: string;
  natsUsers?: Partial<Record<NatsRole, NatsUser>>;
  databaseUrl?: string;
}

/** The NATS logins of a home, made at its first start. */
export function natsUsers(layout: HomeLayout): Record<NatsRole, NatsUser> {
  const known = (readSecret(layout, 'nats-users.json') ?? {}) as Partial<Record<NatsRole, NatsUser>>;
  const missing = NATS_ROLES.filter((role) => known[role] === undefined);
  const users = Object.fromEntries(
    NATS_ROLES.map((role) => [role, known[role] ?? { user: role, password: generatePassword() }]),
  ) as Record<NatsRole, NatsUser>;
  if (missing.length > 0) writeSecret(layout, 'nats-users.json', users);
  return users;
}

/** The logins of a PostgreSQL cluster of a home, made at its first start. */
export function postgresSecrets(layout: HomeLayout, name = 'postgres'): PostgresSecrets {
  const file = `${name}.json`;
  const known = readSecret(layout, file) as PostgresSecrets | undefined;
  if (known) return known;
  const owner = name === 'postgres' ? 'catena' : name;
  const made = {
    user: owner,
    password: generatePassword(),
    adminPassword: generatePassword(),
    database: owner,
  };
  writeSecret(layout, file, made);
  return made;
}

/** A secret of the home, or undefined when there is none. Throws embedded.home-not-usable when it is another user's. */
export function readSecret(layout: HomeLayout, name: string): unknown {
  const file = path.join(layout.secrets, name);
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new EmbeddedError(
      'embedded.home-not-usable',
      `The secrets of ${layout.home} cannot be read (${code ?? 'no JSON'}: ${file})`,
      'Run this as the user who started it, or restore the file from a copy.',
      { file },
    );
  }
}

export function writeSecret(layout: HomeLayout, name: string, value: unknown): void {
  writeWhole(path.join(layout.secrets, name), `${JSON.stringify(value, undefined, 2)}\n`, 0o600);
}
