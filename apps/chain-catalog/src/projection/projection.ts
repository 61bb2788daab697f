import { CatenaError } from '@catena/events';
import type { EventLog } from '@catena/event-log';
import {
  ReadStore,
  type CatalogQueries,
  type ProjectionRunner,
  type RebuildResult,
  type VerifyResult,
} from '@catena/read-store';
import {
  BackgroundWork,
  EVENT_LOG,
  Log,
  pause,
  Readiness,
  ServiceIdentity,
  type Secret,
} from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

/** Injection token of the database's address. */
export const DATABASE_URL = Symbol('DatabaseUrl');

const PATIENCE_MILLISECONDS = 10_000;

/**
 * The read models, kept up with the log as long as the process runs. Opened in the background: plans and reports need
 * the log only, and go on while PostgreSQL is away.
 */
@Injectable()
export class Projection implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #opened = Promise.withResolvers<ReadStore>();
  #store: ReadStore | undefined;
  #runner: ProjectionRunner | undefined;
  #closed = false;

  constructor(
    @Inject(DATABASE_URL) private readonly url: Secret,
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(ServiceIdentity) private readonly identity: ServiceIdentity,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(Log) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.readiness.register('postgresql', async () => {
      if (this.#store === undefined) return { ok: false, detail: 'not opened yet' };
      await this.#store.queries.position();
      return { ok: true };
    });
    this.readiness.register('projection', () => {
      const stale = this.#runner === undefined ? 'not started' : this.#runner.stale;
      return stale === undefined ? { ok: true } : { ok: false, detail: stale };
    });
    this.work.start('read models', () => this.#open());
  }

  async onApplicationShutdown(): Promise<void> {
    this.#closed = true;
    await this.#store?.close();
  }

  /** Waits a while for PostgreSQL. @throws CatenaError `catalog.read-models-away` (retryable) when it did not come. */
  async queries(): Promise<CatalogQueries> {
    return (await this.#whenOpen()).queries;
  }

  /** Builds the read models again beside the live ones and swaps. */
  async rebuild(): Promise<RebuildResult> {
    return await (await this.#whenOpen()).rebuild(this.eventLog);
  }

  /** Builds the read models a second time, compares and throws that copy away. */
  async compare(): Promise<VerifyResult> {
    return await (await this.#whenOpen()).verify(this.eventLog);
  }

  async #open(): Promise<void> {
    const store = await ReadStore.open({
      url: this.url.reveal(),
      waitMilliseconds: 3_000,
      applicationName: `catena ${this.identity.actor}`,
    });
    if (this.#closed) return await store.close();
    this.#store = store;
    this.#opened.resolve(store);
    this.#runner = store.project(this.eventLog, {
      onNotice: ({ level, message, error }) => this.log[level](message, error === undefined ? {} : { error }),
    });
  }

  async #whenOpen(): Promise<ReadStore> {
    if (this.#store !== undefined) return this.#store;
    const over = new AbortController();
    const store = await Promise.race([this.#opened.promise, pause(PATIENCE_MILLISECONDS, over.signal)]);
    over.abort();
    if (typeof store === 'object') return store;
    throw new CatenaError('catalog.read-models-away', 'The read models are not open yet.', {
      remedy: 'Check that PostgreSQL runs and can be reached, then ask again.',
      retryable: true,
    });
  }
}
