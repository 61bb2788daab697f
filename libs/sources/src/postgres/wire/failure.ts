/** What can go wrong on the wire, said as an operator needs it. */
import { CatenaError } from '@catena/events';
import { SourceError } from '../../port/source-error.ts';
import { shownAddress, type ServerAddress } from './address.ts';

/** The parts of an error that the server sent. */
export interface ServerError {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly severity: string;
  readonly detail?: string | undefined;
}

/** The error as the server sent it; undefined for what did not come from a server. */
export function serverErrorOf(error: unknown): ServerError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, severity, detail } = error as Partial<ServerError>;
  if (typeof code !== 'string' || typeof severity !== 'string' || !/^[0-9A-Z]{5}$/.test(code))
    return undefined;
  return { code, severity, message: error.message, detail };
}

const INVALID_AUTHORIZATION = '28000';
const WRONG_PASSWORD = '28P01';
const INSUFFICIENT_PRIVILEGE = '42501';
const TOO_MANY_CONNECTIONS = '53300';
const NOT_YET = '57P03';
const NO_SUCH_DATABASE = '3D000';

/** Why no connection came about. */
export function connectFailure(error: unknown, address: ServerAddress): CatenaError {
  if (error instanceof CatenaError) return error;
  const at = shownAddress(address);
  const server = serverErrorOf(error);
  if (server === undefined) return unreachable(error, at);
  const about = { details: { address: at, sqlState: server.code }, cause: error };
  const said = `${server.message}${server.detail === undefined ? '' : ` (${server.detail})`}`;
  switch (server.code) {
    case TOO_MANY_CONNECTIONS:
      return tooMany(server, at, about);
    case NOT_YET:
      return new SourceError(
        'source.unreachable',
        `The PostgreSQL server at ${at} does not take connections now: ${said}.`,
        {
          ...about,
          remedy: 'Wait until it has started.',
          retryable: true,
        },
      );
    case WRONG_PASSWORD:
    case NO_SUCH_DATABASE:
      return new SourceError(
        'source.accessDenied',
        `The PostgreSQL server at ${at} refused ${address.user}: ${said}.`,
        {
          ...about,
          remedy: 'Correct user, password or database of the Source definition.',
        },
      );
    case INSUFFICIENT_PRIVILEGE:
      return missingReplication(address, said, about);
    case INVALID_AUTHORIZATION:
      if (/pg_hba/.test(server.message)) return noHostRule(address, said, about);
      if (/replication|walsender|WAL sender/i.test(said)) return missingReplication(address, said, about);
      return new SourceError(
        'source.accessDenied',
        `The PostgreSQL server at ${at} refused ${address.user}: ${said}.`,
        {
          ...about,
          remedy: 'Correct user and password of the Source definition, and let the role log in.',
        },
      );
    default:
      return new SourceError(
        'source.accessDenied',
        `The PostgreSQL server at ${at} refused the connection: ${said}.`,
        {
          ...about,
          remedy: 'Mend what it names.',
          retryable: server.code.startsWith('53') || server.code.startsWith('57'),
        },
      );
  }
}

type About = { readonly details: Record<string, unknown>; readonly cause: unknown };

function tooMany(server: ServerError, at: string, about: About): SourceError {
  if (/currently 0\)/.test(server.message)) {
    return new SourceError(
      'source.notSupported',
      `The PostgreSQL server at ${at} gives no replication connections: max_wal_senders is 0, as it must be with wal_level = minimal.`,
      {
        ...about,
        remedy:
          "Run ALTER SYSTEM SET wal_level = 'replica' and ALTER SYSTEM SET max_wal_senders = 10, then restart the server.",
      },
    );
  }
  const senders = /max_wal_senders|standby connections/.test(server.message);
  return new SourceError(
    'source.unreachable',
    `The PostgreSQL server at ${at} has no connection left${senders ? ': max_wal_senders is exhausted' : ''} (${server.message}).`,
    {
      ...about,
      remedy: senders
        ? 'Raise max_wal_senders (a restart is needed) by two for Catena, or end a replication connection that is not needed.'
        : 'Raise max_connections, or end connections that are not needed.',
      retryable: true,
    },
  );
}

function missingReplication({ user, ...address }: ServerAddress, said: string, about: About): SourceError {
  return new SourceError(
    'source.accessDenied',
    `The role ${user} may not replicate from the PostgreSQL server at ${shownAddress(address)}: ${said}.`,
    {
      ...about,
      remedy: `Run ALTER ROLE "${user.replaceAll('"', '""')}" WITH REPLICATION LOGIN on the server.`,
    },
  );
}

function noHostRule({ user, tls, ...address }: ServerAddress, said: string, about: About): SourceError {
  const kind = tls === 'disable' || tls === 'prefer' ? 'host' : 'hostssl';
  return new SourceError(
    'source.accessDenied',
    `The PostgreSQL server at ${shownAddress(address)} has no rule that lets ${user} in: ${said}.`,
    {
      ...about,
      remedy: `Add to its pg_hba.conf: '${kind} replication ${user} <address of the mover>/32 scram-sha-256', then run SELECT pg_reload_conf(). The word 'all' for the database does not cover replication.`,
    },
  );
}

function unreachable(error: unknown, at: string): SourceError {
  const reason = error instanceof Error ? error.message : String(error);
  if (/does not support SSL/.test(reason)) {
    return new SourceError('source.notSupported', `The PostgreSQL server at ${at} speaks no TLS.`, {
      remedy: 'Turn ssl on at the server, or say tls: {mode: disable} in the Source definition.',
      details: { address: at },
      cause: error,
    });
  }
  const isCertificate = /certificate|self.signed|altnames|unable to verify/i.test(reason);
  return new SourceError(
    isCertificate ? 'source.accessDenied' : 'source.notFound',
    `The PostgreSQL server at ${at} cannot be reached: ${reason || codeOf(error)}.`,
    {
      remedy: isCertificate
        ? 'Name the authority that signed its certificate with tls: {ca: PATH}, and the host as the certificate has it.'
        : 'Start it, or correct host and port of the Source definition.',
      retryable: !isCertificate,
      details: { address: at },
      cause: error,
    },
  );
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'no answer';
}

/** Why a command that the server took did not come to its end. */
export function commandFailure(error: unknown, command: string, address: ServerAddress): unknown {
  if (error instanceof CatenaError) return error;
  const at = shownAddress(address);
  const server = serverErrorOf(error);
  if (server === undefined) {
    const reason = error instanceof Error ? error.message : String(error);
    return new SourceError(
      'source.connectionLost',
      `The connection to the PostgreSQL server at ${at} was lost: ${reason}.`,
      {
        remedy:
          'Look at the log of the server: it may have been restarted, or have waited in vain for an answer.',
        retryable: true,
        details: { address: at },
        cause: error,
      },
    );
  }
  const { code, message, detail } = server;
  return new SourceError(
    'source.commandFailed',
    `The PostgreSQL server at ${at} did not carry out ${command.split(/[\s(]/, 1)[0] ?? command}: ${message}${detail === undefined ? '' : ` (${detail})`}.`,
    {
      remedy: 'Mend what it names.',
      // Shut down, out of something, or an error of the system under it: that can be over the next time.
      retryable: /^(08|53|57|58)/.test(code),
      details: { address: at, sqlState: code, said: message },
      cause: error,
    },
  );
}
