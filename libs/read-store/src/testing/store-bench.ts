import { startTestPostgres, type TestPostgres, type TestPostgresOptions } from '@catena/embedded/testing';
import type { EventLog } from '@catena/event-log';
import { ReadStore } from '../read-store.ts';

/** A PostgreSQL of a test's own, and the stores it opens; everything ends with the test. */
export class StoreBench {
  readonly postgres: TestPostgres;
  readonly #open: ReadStore[] = [];

  private constructor(postgres: TestPostgres) {
    this.postgres = postgres;
  }

  static async start(options?: TestPostgresOptions): Promise<StoreBench> {
    return new StoreBench(await startTestPostgres(options));
  }

  /** Opens a store, on an empty database when no address is given. */
  async open(url?: string): Promise<ReadStore> {
    const store = await ReadStore.open({ url: url ?? (await this.postgres.createDatabase()) });
    this.#open.push(store);
    return store;
  }

  /** A store on an empty database that has seen all of a log and goes on with it. */
  async projecting(log: EventLog, url?: string): Promise<ReadStore> {
    const store = await this.open(url);
    await store.project(log).waitFor(await log.lastSequence(), PATIENCE);
    return store;
  }

  /** Closes the stores of one test. */
  async closeStores(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((store) => store.close()));
  }

  async end(): Promise<void> {
    await this.closeStores();
    await this.postgres.close();
  }
}

/** Longer than anything takes that works, in milliseconds. */
export const PATIENCE = 240_000;
