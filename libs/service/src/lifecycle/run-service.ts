import type { z } from 'zod';
import { describeError } from '@catena/events';
import { readConfiguration } from '../configuration/read-configuration.ts';
import { serviceConfiguration, type ServiceConfiguration } from '../configuration/service-configuration.ts';
import { Readiness } from '../health/readiness.ts';
import { Log } from '../logging/log.ts';
import { systemClock } from '../ports/clock.ts';
import { connectPorts, type Ports } from '../ports/connect-ports.ts';
import { movedClock } from '../ports/moved-clock.ts';
import { ServiceIdentity } from '../ports/identity.ts';
import { BackgroundWork } from './background-work.ts';
import { Service, type ServiceOptions } from './service.ts';

/** One service as a process. */
export interface ServiceProgram<S extends z.ZodRawShape> {
  readonly service: string;
  /** What it reads from the environment beyond what every service does. */
  readonly configuration: z.ZodObject<S>;
  /** Its modules, once the configuration is known to be right. */
  readonly options: (configuration: z.output<z.ZodObject<S>> & ServiceConfiguration) => ServiceOptions;
}

/**
 * The life of a service's process: reads its configuration, connects, serves, and on SIGTERM or SIGINT stops in order.
 * Exit codes: 0 stopped in order, 1 failed, 2 wrong configuration.
 */
export async function runService<S extends z.ZodRawShape>(program: ServiceProgram<S>): Promise<void> {
  const configuration = configurationOf(program);
  const identity = new ServiceIdentity(program.service, configuration.CATENA_INSTANCE);
  const log = new Log({
    service: identity.service,
    instance: identity.instance,
    level: configuration.CATENA_LOG_LEVEL,
    format: configuration.CATENA_LOG_FORMAT,
  });
  process.on('uncaughtException', (error) => {
    log.error('the process ends: something failed that nobody expected', { error });
    process.exit(1);
  });
  const asked = stopSignal();
  const ports = await Promise.race([connectPorts(configuration, identity, log), asked]).catch(
    (error: unknown) => {
      log.error('no connection to NATS', { error });
      process.exit(1);
    },
  );
  if (ports === undefined) process.exit(0);
  const readiness = new Readiness();
  readiness.register('nats', async () => {
    await ports.messages.flush();
    return { ok: true };
  });
  const work = new BackgroundWork(log, readiness);
  const { CATENA_CLOCK_OFFSET_FILE: moved } = configuration;
  const clock = moved === undefined ? systemClock : movedClock(moved);
  const platform = { ...ports, identity, configuration, log, readiness, work, clock };
  const service = await Service.start(platform, program.options(configuration)).catch((error: unknown) => {
    log.error('the service could not start', { error });
    process.exit(1);
  });
  await asked;
  await stopWithin(configuration.CATENA_SHUTDOWN_SECONDS, service, ports, log);
}

function configurationOf<S extends z.ZodRawShape>(
  program: ServiceProgram<S>,
): z.output<z.ZodObject<S>> & ServiceConfiguration {
  try {
    return readConfiguration(serviceConfiguration.extend(program.configuration.shape)) as z.output<
      z.ZodObject<S>
    > &
      ServiceConfiguration;
  } catch (error) {
    process.stderr.write(
      `${JSON.stringify({ level: 'error', service: program.service, ...describeError(error) })}\n`,
    );
    process.exit(2);
  }
}

/** Resolves with the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): Promise<undefined> {
  let asked = false;
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const)
      process.on(name, () => {
        if (asked) process.exit(1);
        asked = true;
        resolve(undefined);
      });
  });
}

async function stopWithin(seconds: number, service: Service, ports: Ports, log: Log): Promise<never> {
  log.info('stopping');
  const limit = setTimeout(() => {
    log.error('the service did not stop in time; what it held is taken up by others', { seconds });
    process.exit(1);
  }, seconds * 1_000);
  try {
    await service.stop();
    await ports.close();
    log.info('stopped');
    clearTimeout(limit);
    process.exit(0);
  } catch (error) {
    log.error('the service did not stop in order', { error });
    process.exit(1);
  }
}
