/** The server that restored things go to, and what it says when it does not take them. */
import type { DatabaseAddress } from '@catena/events';
import pg from 'pg';
import { RestoreError } from '../../port/restore-error.ts';
import { secretAt, textOf } from '../postgres-spec.ts';
import { shownAddress, tlsOptions, type ServerAddress } from '../wire/address.ts';
import { serverErrorOf } from '../wire/failure.ts';
import { SqlSession } from './sql-session.ts';

const CONNECT_MILLISECONDS = 30_000;
const KEEP_ALIVE_MILLISECONDS = 30_000;
export const NO_SUCH_DATABASE = '3D000';

/** Where it is, as it may be shown and written down. */
export function shownTarget({ host, port, database }: DatabaseAddress): string {
  return `postgres://${shownAddress({ host: host.startsWith('/') ? encodeURIComponent(host) : host, port })}/${encodeURIComponent(database)}`;
}

/** Connects to the target; the password is read now, from where the address says it is. */
export async function openTarget(
  address: DatabaseAddress,
  signal?: AbortSignal,
  database = address.database,
): Promise<SqlSession> {
  signal?.throwIfAborted();
  const { password, tls, ...rest } = address;
  const server: ServerAddress = {
    ...rest,
    tls: tls.mode,
    ...(tls.ca === undefined
      ? {}
      : { certificateAuthority: await textOf(tls.ca, 'the certificates of the authorities') }),
  };
  const secret = password === undefined ? '' : await secretAt(password);
  const dial = async (ssl: ReturnType<typeof tlsOptions>) => {
    const client = new pg.Client({
      ...{ host: server.host, port: server.port, user: server.user, database, ssl },
      // A text in any case: without one `pg` would look for a password file of its own.
      password: secret,
      application_name: 'catena restore',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MILLISECONDS,
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
    const session = await SqlSession.on(client);
    // Nothing that somebody has defined there is taken for what is asked for.
    await session.run('SET search_path = pg_catalog');
    return session;
  };
  const ssl = tlsOptions(server);
  try {
    return await dial(ssl);
  } catch (error) {
    const plainWillDo = tls.mode === 'prefer' && ssl !== false && /does not support SSL/.test(String(error));
    if (!plainWillDo) throw notReached(error, address);
  }
  try {
    return await dial(false);
  } catch (error) {
    throw notReached(error, address);
  }
}

function notReached(error: unknown, address: DatabaseAddress): RestoreError {
  const server = serverErrorOf(error);
  const said = error instanceof Error ? error.message : String(error);
  return new RestoreError(
    'restore.targetRefused',
    `${shownTarget(address)} does not let ${address.user} in: ${said || 'nobody answers'}.`,
    {
      remedy: 'Correct the address, or where its password is found (--to-password-file, --to-password-env).',
      retryable: server === undefined || /^(53|57)/.test(server.code),
      details: { target: shownTarget(address), ...(server === undefined ? {} : { sqlState: server.code }) },
      cause: error,
    },
  );
}

/** What a failure at the target means for people; nothing of the restore is there then. */
export function targetFailure(error: unknown, doing: string, address: DatabaseAddress): unknown {
  if (error instanceof RestoreError) return error;
  const server = serverErrorOf(error);
  const said = error instanceof Error ? error.message : String(error);
  const detail = server?.detail === undefined ? '' : ` (${server.detail})`;
  return new RestoreError(
    'restore.targetRefused',
    `${shownTarget(address)} did not take ${doing}: ${said}${detail}.`,
    {
      remedy: remedyFor(server?.code),
      retryable: server === undefined || /^(08|40|53|57P0)/.test(server.code),
      details: { target: shownTarget(address), ...(server === undefined ? {} : { sqlState: server.code }) },
      cause: error,
    },
  );
}

function remedyFor(sqlState: string | undefined): string {
  switch (sqlState) {
    case '42501':
      return 'Restore as a role that may do it, or leave out owners and grants with --no-owner and --no-privileges.';
    case '23503':
    case '23505':
      return 'What is there now does not fit to what was there then: restore beside it with --to-schema, and mend by hand.';
    case '58P01':
    case '0A000':
    case '42601':
      return 'The server lacks what the definition needs, or is of an older version: restore to one of the version of the source.';
    default:
      return 'Nothing was changed there. Mend what it names, and restore again.';
  }
}
