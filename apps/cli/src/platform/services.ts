import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CatenaError } from '@catena/events';
import type { ChildSpec, Endpoints, HomeLayout, NatsRole } from '@catena/embedded';

/** The services of a platform, in the order of starting; they stop in the opposite one. */
export const services = ['chain-catalog', 'scheduler', 'mover'] as const;
export type ServiceName = (typeof services)[number];

const READY_WITHIN_MS = 90_000;

/**
 * A mover's data is in buffers, and its objects live for milliseconds: room for more of the latter than this only makes
 * the process larger (by 100 MiB and more), as does memory that each of its threads keeps for itself.
 */
const moverMemory = { args: ['--max-semi-space-size=4'], env: { MALLOC_ARENA_MAX: '2' } };
/** A scheduler keeps much and drops little, so its heap is swept before it has doubled: half the memory for little time. */
const schedulerMemory = { args: ['--max-semi-space-size=4', '--heap-growing-percent=60'], env: {} };
const memoryOf: Partial<Record<ServiceName, { args: string[]; env: Readonly<Record<string, string>> }>> = {
  mover: moverMemory,
  scheduler: schedulerMemory,
};

function programOf(service: ServiceName): string {
  const program = fileURLToPath(new URL(`../../../${service}/dist/main.js`, import.meta.url));
  if (!existsSync(program)) {
    throw new CatenaError('cli.not-built', `The ${service} is not built: there is no ${program}.`, {
      remedy: 'Run "npm run build" in the clone.',
    });
  }
  return program;
}

function announceFile(layout: HomeLayout, instance: string): string {
  return path.join(layout.run, `${instance}.ready.json`);
}

/** Asks the service itself whether it is ready; it says in its announcement where. */
async function probe(file: string, signal: AbortSignal): Promise<void> {
  const { health } = JSON.parse(readFileSync(file, 'utf8')) as { health: string };
  const answer = await fetch(new URL('health/ready', health.endsWith('/') ? health : `${health}/`), {
    signal,
  });
  if (!answer.ok) throw new Error(`it answers ${answer.status}: ${await answer.text()}`);
}

/**
 * What of a service's start goes on although it takes work, such as reading the log; undefined when it has started, or
 * when it does not answer.
 */
export async function unfinishedStart(layout: HomeLayout, instance: string): Promise<string | undefined> {
  try {
    const { health } = JSON.parse(readFileSync(announceFile(layout, instance), 'utf8')) as { health: string };
    const answer = await fetch(new URL('/health/ready', health), { signal: AbortSignal.timeout(5_000) });
    const { starting } = (await answer.json()) as { starting?: Record<string, string> };
    return (
      starting &&
      Object.entries(starting)
        .map(([name, how]) => `${name}: ${how}`)
        .join('; ')
    );
  } catch {
    // It died meanwhile: its supervisor tells, and starts it again.
    return undefined;
  }
}

/** How one process of a service is started in a data folder. Passwords go by file, so that no process list shows them. */
export function serviceProcess(
  service: ServiceName,
  instance: string,
  where: { layout: HomeLayout; endpoints: Endpoints },
  extraEnvironment: Readonly<Record<string, string>> = {},
): ChildSpec {
  const { layout, endpoints } = where;
  const memory = memoryOf[service] ?? { args: [], env: {} };
  const announce = announceFile(layout, instance);
  const login = endpoints.nats.users[service satisfies NatsRole];
  const secretFile = (name: string, text: string): string => {
    const file = path.join(layout.secrets, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return {
    name: instance,
    command: process.execPath,
    args: ['--enable-source-maps', ...memory.args, programOf(service)],
    cwd: layout.home,
    env: {
      ...inherited,
      ...memory.env,
      CATENA_HOME: layout.home,
      CATENA_INSTANCE: instance,
      CATENA_ANNOUNCE_FILE: announce,
      CATENA_NATS_URL: endpoints.nats.url,
      ...(login
        ? {
            CATENA_NATS_USER: login.user,
            CATENA_NATS_PASSWORD_FILE: secretFile(`${service}.nats-password`, login.password),
          }
        : {}),
      ...(service === 'chain-catalog'
        ? {
            CATENA_DATABASE_URL: '',
            CATENA_DATABASE_URL_FILE: secretFile('database-url', endpoints.postgres.url),
          }
        : {}),
      ...extraEnvironment,
    },
    beforeStart: () => rmSync(announce, { force: true }),
    probe: (signal) => probe(announce, signal),
    readyWithinMs: READY_WITHIN_MS,
    stopSignal: 'SIGTERM',
    stopWithinMs: 30_000,
    // A service keeps nothing of its own; a survivor may be of an older build, so it hands its work back and ends.
    survivor: 'end',
  };
}
