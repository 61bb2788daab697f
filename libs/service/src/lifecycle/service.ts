import { NestFactory } from '@nestjs/core';
import { Module, type DynamicModule, type INestMicroservice, type Type } from '@nestjs/common';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { HealthServer } from '../health/health-server.ts';
import { announceInFile, type Announcement } from '../health/announcement.ts';
import { NestLog } from '../logging/nest-log.ts';
import { PlatformModule, type Platform } from '../ports/platform-module.ts';
import { LogTransport } from '../transport/log-transport.ts';
import { RethrowFilter } from '../transport/rethrow-filter.ts';
import { Presence } from './presence.ts';

export interface ServiceOptions {
  /** The feature modules. */
  readonly modules: readonly (Type | DynamicModule)[];
  /** Jobs worked on at once, for a service that takes jobs. */
  readonly jobSlots?: number;
  /** Streams followed at once, beside the jobs. */
  readonly streamSlots?: number;
  /** The pool of movers whose jobs it takes; default `default`. */
  readonly moverPool?: string;
}

@Module({})
class RootModule {}

/** A running service: Nest's microservice on our transport, with its health endpoints. */
export class Service {
  readonly announcement: Announcement;
  readonly #application: INestMicroservice;
  readonly #platform: Platform;
  readonly #health: HealthServer;
  readonly #presence: Presence;

  private constructor(
    application: INestMicroservice,
    platform: Platform,
    seen: { health: HealthServer; presence: Presence },
    announcement: Announcement,
  ) {
    this.#application = application;
    this.#platform = platform;
    this.#health = seen.health;
    this.#presence = seen.presence;
    this.announcement = announcement;
  }

  /** Starts handlers and background work, then binds the health endpoints and announces them. */
  static async start(platform: Platform, options: ServiceOptions): Promise<Service> {
    const presence = await Presence.begin(platform);
    try {
      return await Service.#start(platform, options, presence);
    } catch (error) {
      await presence.stop();
      throw error;
    }
  }

  static async #start(platform: Platform, options: ServiceOptions, presence: Presence): Promise<Service> {
    const { identity, configuration, log } = platform;
    const strategy = new LogTransport({
      ...platform,
      service: identity.service,
      ...(options.jobSlots === undefined ? {} : { jobSlots: options.jobSlots }),
      ...(options.streamSlots === undefined ? {} : { streamSlots: options.streamSlots }),
      ...(options.moverPool === undefined ? {} : { moverPool: options.moverPool }),
    });
    const application = await NestFactory.createMicroservice<MicroserviceOptions>(
      { module: RootModule, imports: [PlatformModule.of(platform), ...options.modules] },
      // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest documents plain options
      { strategy, logger: new NestLog(log), abortOnError: false },
    );
    application.useGlobalFilters(new RethrowFilter());
    const health = new HealthServer(platform.readiness);
    try {
      await application.listen();
      const address = await health.listen(configuration.CATENA_HEALTH_HOST, configuration.CATENA_HEALTH_PORT);
      const { service, instance } = identity;
      const announcement: Announcement = { service, instance, pid: process.pid, health: address };
      if (configuration.CATENA_ANNOUNCE_FILE !== undefined)
        announceInFile(configuration.CATENA_ANNOUNCE_FILE, announcement);
      log.info('started', { event: 'started', ...announcement });
      presence.rise();
      return new Service(application, platform, { health, presence }, announcement);
    } catch (error) {
      await application.close();
      await platform.work.stop();
      throw error;
    }
  }

  /** A provider of the running service. */
  get<T>(token: Type<T> | symbol): T {
    return this.#application.get<T>(token, { strict: false });
  }

  /** Takes nothing more, finishes or hands back what it holds, and leaves the ports open for their owner to close. */
  async stop(): Promise<void> {
    this.#platform.readiness.register('stopping', () => ({ ok: false, detail: 'the service is stopping' }));
    await this.#presence.stop();
    await this.#application.getTransportServer().close();
    await this.#platform.work.stop();
    await this.#application.close();
    await this.#health.close();
  }
}
