import { renderAccounts, type NatsRole } from './service-accounts.ts';

/** The variable of the server's environment that holds a role's password in infra/nats/accounts.conf. */
export function passwordVariable(role: NatsRole): string {
  return `CATENA_NATS_PASSWORD_${role.toUpperCase().replaceAll('-', '_')}`;
}

/** The text of infra/nats/accounts.conf, for people who run their own server: the same permissions, passwords from the environment. */
export function renderAccountsTemplate(): string {
  return [
    '# Logins and permissions for a NATS server of your own; catena.conf includes it.',
    '# The same text is made for the embedded server (libs/embedded/src/nats/service-accounts.ts); a test compares them.',
    '# Passwords come from the environment of nats-server. Begin each with a letter: a value that looks like a number',
    '# is read as one. The services get them through CATENA_NATS_USERS (README.md here).',
    '',
    renderAccounts({ passwordOf: (role) => `$${passwordVariable(role)}` }),
  ].join('\n');
}
