import type { EventLog } from '@catena/event-log';
import type { DataSource } from 'typeorm';
import { generationsDataSource, type ConnectionOptions } from './connection/data-source.ts';
import type { ReadModelDigest } from './generations/digest.ts';
import { prepareDatabase } from './generations/prepare.ts';
import {
  rebuild,
  RebuildRunningError,
  type RebuildOptions,
  type RebuildResult,
} from './generations/rebuild.ts';
import { verifyAgainstLog, type VerifyResult } from './generations/verify.ts';
import { Backoff, pause } from './projection/backoff.ts';
import { BehindError } from './projection/position-waiters.ts';
import { ProjectionRunner, type ProjectionOptions } from './projection/projection-runner.ts';
import { CatalogQueries, type Freshness } from './queries/catalog-queries.ts';
import { unavailableOr } from './queries/unavailable-error.ts';

export interface ReadStoreOptions extends ConnectionOptions {
  /** How long to wait for PostgreSQL to come up, in milliseconds; default 60 000. */
  readonly waitMilliseconds?: number;
}

/** How often a process without a projection of its own looks how far the live copy is, in milliseconds. */
const POLL = 20;

/** The read models of one database: projected from the log, asked by queries, built again beside the live copy. */
export class ReadStore {
  readonly queries: CatalogQueries;
  readonly #connection: ConnectionOptions;
  readonly #dataSource: DataSource;
  #runner: ProjectionRunner | undefined;
  readonly #rebuilds = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  private constructor(connection: ConnectionOptions, dataSource: DataSource) {
    this.#connection = connection;
    this.#dataSource = dataSource;
    this.queries = new CatalogQueries(dataSource, () => this.#freshness());
  }

  /**
   * Connects, migrates and cleans up. Any number of processes may open one database at once.
   * @throws UnavailableError when PostgreSQL did not answer within the wait.
   */
  static async open(options: ReadStoreOptions): Promise<ReadStore> {
    const { waitMilliseconds = 60_000, ...connection } = options;
    const backoff = new Backoff();
    const until = performance.now() + waitMilliseconds;
    for (;;) {
      try {
        await prepareDatabase(connection);
        return new ReadStore(connection, await generationsDataSource(connection).initialize());
      } catch (error) {
        const answer = unavailableOr(error);
        const away = answer !== error;
        if (!away || performance.now() > until) throw answer;
        await backoff.wait(new AbortController().signal);
      }
    }
  }

  /** Starts keeping the live copy up with the log; at most one for each store. It runs until it is stopped or the store closed. */
  project(log: EventLog, options: ProjectionOptions = {}): ProjectionRunner {
    if (this.#runner !== undefined) throw new Error('This store projects already.');
    this.#runner = new ProjectionRunner(this.#dataSource, log, {
      ...options,
      onOutdated: () => {
        options.onOutdated?.();
        this.#replaceOutdated(log, options);
      },
    });
    return this.#runner;
  }

  /**
   * Builds the read models again from the log beside the live copy, then swaps; queries go on meanwhile.
   * @throws RebuildRunningError when somebody does so already.
   */
  async rebuild(log: EventLog, options: RebuildOptions = {}): Promise<RebuildResult> {
    return this.#untilClosed(options.signal, (signal) =>
      rebuild(this.#connection, log, { ...options, signal }),
    );
  }

  /**
   * Projects the log a second time, beside the live copy, and says whether both have the same rows.
   * @throws RebuildRunningError when somebody rebuilds.
   */
  async verify(log: EventLog, options: { readonly signal?: AbortSignal } = {}): Promise<VerifyResult> {
    const live = await this.digest();
    return this.#untilClosed(options.signal, (signal) =>
      verifyAgainstLog(this.#connection, log, live, signal),
    );
  }

  /** What all rows of the live copy come to, to compare copies. Reads every row. */
  digest(): Promise<ReadModelDigest> {
    return this.queries.digest();
  }

  /** Stops projecting and rebuilding, and closes the connections. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#runner?.stop();
    await Promise.allSettled(this.#rebuilds);
    await this.#dataSource.destroy();
  }

  #replaceOutdated(log: EventLog, { onNotice }: ProjectionOptions): void {
    if (this.#rebuilds.size > 0) return;
    onNotice?.({ level: 'info', message: 'The read models are of an older build; rebuilding them.' });
    this.rebuild(log).catch((error: unknown) => {
      if (error instanceof RebuildRunningError || this.#closing.signal.aborted) return;
      onNotice?.({
        level: 'error',
        message: 'The read models of an older build could not be rebuilt.',
        error,
      });
    });
  }

  /** Work on a copy beside the live one, which ends with the store. */
  async #untilClosed<T>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const working = work(AbortSignal.any([this.#closing.signal, ...(signal ? [signal] : [])]));
    this.#rebuilds.add(working);
    try {
      return await working;
    } catch (error) {
      throw unavailableOr(error);
    } finally {
      this.#rebuilds.delete(working);
    }
  }

  #freshness(): Freshness {
    return (
      this.#runner ?? { stale: undefined, waitFor: (sequence, timeout) => this.#poll(sequence, timeout) }
    );
  }

  async #poll(sequence: number, timeoutMilliseconds: number): Promise<void> {
    const until = performance.now() + timeoutMilliseconds;
    for (;;) {
      const position = await this.queries.position();
      if (position >= sequence) return;
      if (performance.now() > until)
        throw new BehindError(sequence, position, 'nobody in this process reads on');
      await pause(POLL, this.#closing.signal);
    }
  }
}
