import { EmbeddedError, reasonOf } from './embedded-error.ts';
import { pingNats, type NatsInfo } from './nats/nats-probe.ts';
import { isSuitableNatsVersion, MINIMUM_NATS_VERSION } from './nats/nats-version.ts';
import type { NatsRole, NatsUser } from './nats/service-accounts.ts';
import { askPostgres } from './postgres/postgres-probe.ts';

const PATIENCE_MS = 10_000;

/**
 * Asks a NATS server that others run whether it is there, new enough, has JetStream and takes our logins. Of several
 * addresses one has to answer. Throws embedded.nats-unreachable or embedded.nats-unsuitable.
 */
export async function checkExternalNats(
  url: string,
  users: Partial<Record<NatsRole, NatsUser>>,
): Promise<void> {
  const logins = Object.values(users);
  const failures: string[] = [];
  for (const server of url.split(',')) {
    const { hostname, port, protocol } = new URL(server);
    const address = { host: hostname, port: Number(port || 4222), tls: protocol === 'tls:' };
    try {
      let info: NatsInfo | undefined;
      for (const login of logins.length > 0 ? logins : [undefined]) {
        info = await pingNats(address, login, AbortSignal.timeout(PATIENCE_MS));
      }
      if (info) checkSuitable(server, info);
      return;
    } catch (error) {
      if (error instanceof EmbeddedError) throw error;
      failures.push(`${server}: ${reasonOf(error)}`);
    }
  }
  throw new EmbeddedError(
    'embedded.nats-unreachable',
    `The NATS server that was named does not take us (${failures.join('; ')})`,
    'Check CATENA_NATS_URL, its logins and the server, or unset it to let a server of our own be started.',
    { failures },
  );
}

function checkSuitable(server: string, info: NatsInfo): void {
  const problem = !isSuitableNatsVersion(info.version)
    ? `is version ${info.version}, older than ${MINIMUM_NATS_VERSION}`
    : info.jetstream
      ? undefined
      : 'runs without JetStream';
  if (problem === undefined) return;
  throw new EmbeddedError(
    'embedded.nats-unsuitable',
    `The NATS server ${server} ${problem}`,
    `Use nats-server ${MINIMUM_NATS_VERSION} or newer with JetStream on, or unset CATENA_NATS_URL.`,
    { server, version: info.version },
  );
}

/** Asks a database that others run whether it takes our login. Throws embedded.postgres-unreachable. */
export async function checkExternalPostgres(url: string): Promise<void> {
  try {
    await askPostgres(url, PATIENCE_MS);
  } catch (error) {
    throw new EmbeddedError(
      'embedded.postgres-unreachable',
      `The PostgreSQL database that was named does not take us (${reasonOf(error)})`,
      'Check CATENA_DATABASE_URL (postgres://user:password@host:port/database) and the server, or unset it to let one of our own be started.',
    );
  }
}
