/**
 * A platform in a process of its own, for tests that kill it or run it as another user. Its one argument is a JSON
 * `PlatformProcessRequest`; it prints one JSON line per event and a last one when it is up, and stops when its input says so.
 */
import { createInterface } from 'node:readline';
import { CatenaError, describeError } from '@catena/events';
import { findNatsServer } from '../../nats/find-nats-server.ts';
import { startPlatform } from '../../platform.ts';
import { findPostgres } from '../../postgres/find-postgres.ts';
import { usableBinaries } from '../../postgres/usable-binaries.ts';
import { lookUpUser } from '../../postgres/system-user.ts';

export interface PlatformProcessRequest {
  home: string;
  env?: Record<string, string>;
  /** Become this user first (only root can); PostgreSQL's programs are then copied below `programs` if the user needs that. */
  user?: string;
  programs?: string;
  /** Only find or fetch nats-server. */
  natsOnly?: boolean;
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function become(name: string, programs: string): Promise<string> {
  const user = await lookUpUser(name);
  if (!user) throw new CatenaError('testing.no-user', `There is no user ${name}.`);
  const bin = await usableBinaries(await findPostgres(), user, programs);
  process.setgroups?.([]);
  process.setgid?.(user.gid);
  process.setuid?.(user.uid);
  return bin;
}

const request = JSON.parse(process.argv[2] ?? '{}') as PlatformProcessRequest;
const env: NodeJS.ProcessEnv = { ...process.env, ...request.env };
try {
  if (request.user !== undefined) {
    env['CATENA_POSTGRES_BIN'] = await become(request.user, request.programs ?? '/tmp');
  }
  if (request.natsOnly) {
    const binary = await findNatsServer({ env, onProgress: (message) => say({ message }) });
    say({ up: true, binary });
    process.exit(0);
  }
  const platform = await startPlatform({ home: request.home, env, onEvent: (event) => say({ event }) });
  say({ up: true, nats: platform.nats.pid, postgres: platform.postgres.pid, uid: process.getuid?.() });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'stop') break;
  }
  await platform.stop();
  say({ stopped: true });
} catch (error) {
  say({ error: describeError(error) });
  process.exitCode = 1;
}
