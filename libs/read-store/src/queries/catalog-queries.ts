import { CatenaError } from '@catena/events';
import type { DataSource, QueryRunner } from 'typeorm';
import { digestOf, type ReadModelDigest } from '../generations/digest.ts';
import { enterLiveGeneration, schemaName, type Generation } from '../generations/generation.ts';
import { rollBack } from '../projection/commit-batch.ts';
import { BehindError } from '../projection/position-waiters.ts';
import { READ_MODEL_VERSION } from '../projectors/read-models.ts';
import { listBackups } from './backups.ts';
import { listChains } from './chains.ts';
import { countRows } from './counts.ts';
import { decodeCursor } from './cursor.ts';
import { listDefinitions } from './definitions.ts';
import { listKeys } from './keys.ts';
import { sequenceAsOf, type Moment } from './moment.ts';
import type { Page } from './page.ts';
import type { Answer, Question } from './questions.ts';
import { listRecoveryWindows } from './recovery-windows.ts';
import { listRestorePoints } from './restore-points.ts';
import { listRuns } from './runs.ts';
import { listSchedules } from './schedules.ts';
import { UnavailableError, unavailableOr } from './unavailable-error.ts';

/** How fresh answers are; the projection of this process, when it runs one. */
export interface Freshness {
  /** Why answers may be behind. */
  readonly stale: string | undefined;
  /** @throws BehindError */
  waitFor(sequence: number, timeoutMilliseconds: number): Promise<void>;
}

/** What every list question may carry. */
interface ListQuestion {
  readonly asOf?: string | undefined;
  readonly atLeast?: number | undefined;
  readonly after?: string | undefined;
}

/** How far the catalog has read, and what it counts. */
export interface CatalogState {
  readonly sequence: number;
  readonly stopped: string | undefined;
  /** The live copy, `catena_<number>`. */
  readonly generation: string;
  readonly counts: Record<string, number>;
}

/** How long a question waits for a sequence it must have seen, in milliseconds. */
const WAIT_AT_MOST = 10_000;
/** How often the live copy may be replaced while one question is asked. */
const SWAPS = 3;

/**
 * Answers the catalog's questions from the live copy: each from one state of it, of now or as of a past time. Pages of
 * one list show one moment. Questions are taken as checked by their schema.
 */
export class CatalogQueries {
  readonly #dataSource: DataSource;
  readonly #freshness: () => Freshness;

  constructor(dataSource: DataSource, freshness: () => Freshness) {
    this.#dataSource = dataSource;
    this.#freshness = freshness;
  }

  listDefinitions(question: Question<'listDefinitions'>): Promise<Answer<'listDefinitions'>> {
    return this.#list('definitions', question, listDefinitions);
  }

  listSchedules(question: Question<'listSchedules'>): Promise<Answer<'listSchedules'>> {
    return this.#list('schedules', question, listSchedules);
  }

  listRuns(question: Question<'listRuns'>): Promise<Answer<'listRuns'>> {
    return this.#list('runs', question, listRuns);
  }

  listBackups(question: Question<'listBackups'>): Promise<Answer<'listBackups'>> {
    return this.#list('backups', question, listBackups);
  }

  listChains(question: Question<'listChains'>): Promise<Answer<'listChains'>> {
    return this.#list('chains', question, listChains);
  }

  listRestorePoints(question: Question<'listRestorePoints'>): Promise<Answer<'listRestorePoints'>> {
    return this.#list('restore points', question, listRestorePoints);
  }

  listRecoveryWindows(question: Question<'listRecoveryWindows'>): Promise<Answer<'listRecoveryWindows'>> {
    return this.#list('recovery windows', question, listRecoveryWindows);
  }

  listKeys(question: Question<'listKeys'>): Promise<Answer<'listKeys'>> {
    return this.#list('keys', question, listKeys);
  }

  /** Counts and position; the sequence of the log itself and dead letters are known elsewhere. */
  async state(): Promise<CatalogState> {
    return this.#inLiveCopy(async (runner, live) => {
      const { stopped, sequence, generation, ...moment } = momentOf(runner, live, live.position);
      const counts = await countRows({ ...moment, sequence, generation, stopped });
      return { sequence, stopped: this.#freshness().stale ?? stopped, generation, counts };
    });
  }

  /** What all rows of the live copy come to. Reads every row. */
  async digest(): Promise<ReadModelDigest> {
    return this.#inLiveCopy((runner, live) => digestOf(runner, live.position));
  }

  /** The position of the live copy as the database has it. */
  async position(): Promise<number> {
    return this.#inLiveCopy((_runner, live) => Promise.resolve(live.position));
  }

  /** @throws BehindError, AmbiguousIdError, UnavailableError, CatenaError `read-store.cursor-invalid` */
  async #list<Q extends ListQuestion, Item>(
    list: string,
    question: Q,
    answer: (moment: Moment, question: Q) => Promise<Page<Item>>,
  ): Promise<Page<Item>> {
    const { asOf, after } = question;
    const shown = after === undefined ? undefined : decodeCursor(list, after).sequence;
    const needed = Math.max(question.atLeast ?? 0, shown ?? 0);
    const ask = () =>
      this.#inLiveCopy(async (runner, live) => {
        if (live.position < needed) return undefined;
        const then = asOf === undefined ? live.position : await sequenceAsOf(runner, asOf, live.position);
        const moment = momentOf(runner, live, shown ?? then);
        const page = await answer(moment, question);
        const stale = this.#freshness().stale ?? moment.stopped;
        return stale === undefined ? page : { ...page, stale };
      });
    const at = performance.now();
    for (;;) {
      const page = await ask();
      if (page !== undefined) return page;
      const left = WAIT_AT_MOST - (performance.now() - at);
      if (left <= 0) throw new BehindError(needed, await this.position(), 'it took too long');
      await this.#freshness().waitFor(needed, left);
    }
  }

  /** Runs a question in one state of the live copy, again when that copy was replaced and dropped meanwhile. */
  async #inLiveCopy<T>(ask: (runner: QueryRunner, live: Generation) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(ask);
      } catch (error) {
        const code = (error as { code?: unknown }).code;
        const dropped = code === UNDEFINED_TABLE || code === UNDEFINED_SCHEMA;
        if (!dropped || attempt > SWAPS) throw unavailableOr(error);
      }
    }
  }

  async #once<T>(ask: (runner: QueryRunner, live: Generation) => Promise<T>): Promise<T> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      await runner.query('begin isolation level repeatable read read only');
      const live = await enterLiveGeneration(runner);
      if (live === undefined) throw new UnavailableError('there is no copy of the read models');
      if (live.readModelVersion !== READ_MODEL_VERSION) throw otherVersion(live);
      const answer = await ask(runner, live);
      await runner.query('commit');
      return answer;
    } catch (error) {
      await rollBack(runner);
      throw error;
    } finally {
      await runner.release();
    }
  }
}

function momentOf(runner: QueryRunner, live: Generation, sequence: number): Moment {
  return {
    runner,
    sequence,
    newest: sequence === live.position,
    generation: schemaName(live.number),
    stopped: live.stopped ?? undefined,
  };
}

function otherVersion(live: Generation): CatenaError {
  return new CatenaError(
    'read-store.other-version',
    `The read models are of version ${live.readModelVersion}; this build reads version ${READ_MODEL_VERSION}.`,
    {
      remedy:
        live.readModelVersion < READ_MODEL_VERSION
          ? 'They are being rebuilt; ask again.'
          : 'A newer build is at work here; use it.',
      retryable: true,
    },
  );
}

const UNDEFINED_TABLE = '42P01';
const UNDEFINED_SCHEMA = '3F000';
