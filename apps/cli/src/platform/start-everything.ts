import { startPlatform, type Platform, type PlatformEvent } from '@catena/embedded';
import { connectNats, ensureStreams } from '@catena/event-log';
import { services, serviceProcess, type ServiceName } from './services.ts';

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
      const starting = Array.from({ length: wanted }, (_, index) =>
        platform.supervisor.start(
          serviceProcess(service, `${service}-${index + 1}`, platform, options.environment),
        ),
      );
      await Promise.all(starting);
    }
    return platform;
  } catch (error) {
    await platform.stop();
    throw error;
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
