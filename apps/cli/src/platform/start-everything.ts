import { setTimeout as sleep } from 'node:timers/promises';
import { startPlatform, type Platform, type PlatformEvent } from '@catena/embedded';
import { connectNats, ensureStreams } from '@catena/event-log';
import { services, serviceProcess, unfinishedStart, type ServiceName } from './services.ts';

const STARTED_WITHIN_MILLISECONDS = 60_000;
const TOLD_AFTER_MILLISECONDS = 1_000;
const ROUND_MILLISECONDS = 20;

/** How many processes of each service to run; one of each unless said otherwise. */
export type Instances = Partial<Record<ServiceName, number>>;

/**
 * Starts the servers and the services of a data folder and waits until all of them are ready.
 * Throws what the embedded servers and the services throw; nothing is left running then.
 */
export async function startEverything(options: {
  home: string;
  onEvent: (event: PlatformEvent) => void;
  instances?: Instances;
  /** What the services are told beyond this process's own environment. */
  environment?: Readonly<Record<string, string>>;
}): Promise<Platform> {
  const platform = await startPlatform({ home: options.home, onEvent: options.onEvent });
  try {
    await setUpStreams(platform);
    for (const service of services) {
      const wanted = options.instances?.[service] ?? 1;
      const starting = Array.from({ length: wanted }, async (_, index) => {
        const instance = `${service}-${index + 1}`;
        await platform.supervisor.start(serviceProcess(service, instance, platform, options.environment));
        await untilStarted(platform, instance, options.onEvent);
      });
      await Promise.all(starting);
    }
    return platform;
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

/**
 * Waits until a service that takes work has started whole: it has read what it must know of the log. One that takes very
 * long goes on with that; commands to it are refused as too early until it is done.
 */
async function untilStarted(
  { layout }: Platform,
  instance: string,
  onEvent: (event: PlatformEvent) => void,
): Promise<void> {
  const began = performance.now();
  let told = false;
  for (;;) {
    const left = await unfinishedStart(layout, instance);
    const waited = performance.now() - began;
    if (left === undefined || waited > STARTED_WITHIN_MILLISECONDS) return;
    if (!told && waited > TOLD_AFTER_MILLISECONDS) {
      told = true;
      onEvent({ type: 'progress', part: instance, message: `is starting: ${left}` });
    }
    await sleep(ROUND_MILLISECONDS);
  }
}

async function setUpStreams(platform: Platform): Promise<void> {
  const operator = platform.endpoints.nats.users.operator;
  const link = await connectNats({
    url: platform.endpoints.nats.url,
    ...(operator ?? {}),
    name: 'catena:up',
    patienceMilliseconds: 30_000,
  });
  try {
    await ensureStreams(link);
  } finally {
    await link.close();
  }
}
