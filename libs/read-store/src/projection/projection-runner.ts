import type { AnyRecordedEvent } from '@catena/events';
import type { EventBatch, EventLog } from '@catena/event-log';
import type { DataSource } from 'typeorm';
import { failureMessage } from '../connection/failure-message.ts';
import { liveGeneration, markStopped, type Generation } from '../generations/generation.ts';
import { CannotApplyError } from '../projectors/cannot-apply-error.ts';
import { READ_MODEL_VERSION } from '../projectors/read-models.ts';
import { Backoff, pause } from './backoff.ts';
import { commitBatch } from './commit-batch.ts';
import { failureKind } from './failure-kind.ts';
import { GenerationWriter } from './generation-writer.ts';
import { PositionWaiters } from './position-waiters.ts';
import { Turns } from './turns.ts';

/** Something an operator should know of, for the log of the service. */
export interface ProjectionNotice {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly error?: unknown;
}

export interface ProjectionOptions {
  readonly onNotice?: (notice: ProjectionNotice) => void;
  /** Called when the live copy holds the read models of an older build; projecting waits until it was rebuilt. */
  readonly onOutdated?: () => void;
}

/** Where and why the projection stands. */
export interface Stop {
  /** The event that cannot be applied, or the next one when the log cannot say which. */
  readonly sequence: number;
  readonly reason: string;
}

const BATCH = 1_000;
const KEPT_ROWS = 4_000;
/** How often one that stands looks whether another process has gone on. */
const LOOK_AGAIN = 1_000;

/**
 * Keeps the live copy of the read models up with the log. Several processes may run one each: whoever is first with a
 * batch writes it, the others go on behind it. Nothing is skipped: an event that cannot be applied stops it.
 */
export class ProjectionRunner {
  readonly #dataSource: DataSource;
  readonly #log: EventLog;
  readonly #options: ProjectionOptions;
  readonly #writer: GenerationWriter;
  readonly #waiters = new PositionWaiters();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** Batches and looks at the database take turns, so that what is known of the copy is of one moment. */
  readonly #turns = new Turns();
  #live: Generation | undefined;
  #stopped: Stop | undefined;
  #trouble: string | undefined;

  constructor(dataSource: DataSource, log: EventLog, options: ProjectionOptions = {}) {
    this.#dataSource = dataSource;
    this.#log = log;
    this.#options = options;
    this.#writer = new GenerationWriter(dataSource, { keptRows: KEPT_ROWS });
    this.#running = this.#run(this.#stopping.signal);
  }

  /** Log sequence that this process knows the live copy to have reached. */
  get position(): number {
    return this.#waiters.position;
  }

  /** Set while an event cannot be applied. */
  get stopped(): Stop | undefined {
    return this.#stopped;
  }

  /** Why answers may be behind; undefined while all is well. */
  get stale(): string | undefined {
    return this.#stopped?.reason ?? this.#trouble;
  }

  /**
   * Resolves when queries see the sequence.
   * @throws BehindError (retryable) after the time-out.
   */
  async waitFor(sequence: number, timeoutMilliseconds: number): Promise<void> {
    await this.#waiters.waitFor(sequence, timeoutMilliseconds, () => this.stale ?? 'it is on its way');
  }

  /** Ends after the batch in hand. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff();
    while (!signal.aborted) {
      try {
        const live = await this.#look();
        if (live === undefined || !this.#mayProject(live)) {
          await pause(LOOK_AGAIN, signal);
          continue;
        }
        // Asked first, so that a log that cannot be reached is known without waiting for its next event.
        await this.#log.lastSequence();
        this.#recovered();
        await this.#follow(live.position, signal, backoff);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        this.#writer.clear();
        if (failureKind(error) === 'event') await this.#standAt(stopOf(error, this.position), signal);
        else {
          this.#inTrouble(error);
          await backoff.wait(signal);
        }
      }
    }
  }

  async #follow(position: number, signal: AbortSignal, backoff: Backoff): Promise<void> {
    const ending = new AbortController();
    let since = position;
    const watching = this.#watch(ending, () => since);
    const until = AbortSignal.any([signal, ending.signal]);
    try {
      for await (const batch of this.#log.follow({ from: position + 1, batchSize: BATCH, signal: until })) {
        const taken = await this.#turns.take(() => this.#take(batch, since, signal, backoff));
        if (!taken) return;
        since = batch.through;
        this.#recovered();
        backoff.reset();
      }
    } finally {
      ending.abort();
      await watching;
    }
  }

  /**
   * Looks at the live copy now and then, also while nothing happens: another process may have gone on, another copy may be
   * live, and a database that crashed may have lost its newest rows, which the log then has to give again.
   */
  async #watch(ending: AbortController, since: () => number): Promise<void> {
    for (;;) {
      await pause(LOOK_AGAIN, ending.signal);
      if (ending.signal.aborted) return;
      await this.#turns.take(async () => {
        try {
          const live = await this.#look();
          this.#recovered();
          if (live === undefined || live.position < since() || !this.#mayProject(live)) ending.abort();
        } catch (error) {
          this.#inTrouble(error);
        }
      });
    }
  }

  /**
   * Sees to it that a batch is in the live copy, whoever writes it.
   * @param since the sequence that the batch follows
   * @returns false when following has to begin anew
   */
  async #take(batch: EventBatch, since: number, signal: AbortSignal, backoff: Backoff): Promise<boolean> {
    while (!signal.aborted) {
      const live = this.#live;
      if (live === undefined || !this.#mayProject(live)) return false;
      // A database that crashed, or was put back, may stand further back than it did: the log has what it lacks.
      if (live.position < since) return false;
      if (live.position >= batch.through) return true;
      const events = batch.events.filter(({ sequence }) => sequence > live.position);
      try {
        if (await this.#write(live, events, batch.through)) continue;
        await this.#look();
      } catch (error) {
        if (failureKind(error) === 'again') {
          this.#inTrouble(error);
          await backoff.wait(signal);
          await this.#lookUntilThere(signal, backoff);
        } else {
          await this.#writeUpTo(live, events, error);
        }
      }
    }
    return false;
  }

  /** Writes what comes before the event that fails, then throws that event's error. */
  async #writeUpTo(live: Generation, events: readonly AnyRecordedEvent[], error: unknown): Promise<void> {
    if (error instanceof CannotApplyError) {
      const before = events.filter(({ sequence }) => sequence < error.sequence);
      if (before.length > 0) await this.#write(live, before, error.sequence - 1);
      throw error;
    }
    for (const event of events) {
      try {
        if (!(await this.#write(this.#live ?? live, [event], event.sequence))) return;
      } catch (cause) {
        throw failureKind(cause) === 'data' ? new CannotApplyError(event, failureMessage(cause)) : cause;
      }
    }
  }

  async #write(live: Generation, events: readonly AnyRecordedEvent[], through: number): Promise<boolean> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      const ours = await commitBatch(runner, this.#writer, live, {
        from: live.position,
        to: through,
        events,
      });
      if (ours) {
        this.#live = { ...live, position: through, stopped: null };
        this.#waiters.moveTo(through);
      }
      return ours;
    } finally {
      await runner.release();
    }
  }

  /** Reads which copy is live and how far it is. */
  async #look(): Promise<Generation | undefined> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      const live = await liveGeneration(runner);
      if (live?.number !== this.#live?.number || live?.position !== this.#live?.position)
        this.#writer.clear();
      this.#live = live;
      if (live !== undefined) this.#waiters.moveTo(live.position);
      return live;
    } finally {
      await runner.release();
    }
  }

  async #lookUntilThere(signal: AbortSignal, backoff: Backoff): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#look();
        return;
      } catch (error) {
        this.#inTrouble(error);
        await backoff.wait(signal);
      }
    }
  }

  #mayProject(live: Generation): boolean {
    if (live.readModelVersion === READ_MODEL_VERSION) return true;
    const older = live.readModelVersion < READ_MODEL_VERSION;
    this.#trouble = older
      ? 'The read models of an older build are being rebuilt.'
      : 'The read models were built by a newer build; this process leaves them alone.';
    if (older) this.#options.onOutdated?.();
    return false;
  }

  /** Stands until another process, of a build that knows better, has gone past. */
  async #standAt(stop: Stop, signal: AbortSignal): Promise<void> {
    this.#stopped = stop;
    this.#notice({ level: 'error', message: `The projection stopped: ${stop.reason}` });
    let marked = false;
    while (!signal.aborted) {
      try {
        if (!marked && this.#live !== undefined) {
          await this.#mark(this.#live, stop.reason);
          marked = true;
        }
        const live = await this.#look();
        if (live !== undefined && live.position >= stop.sequence) break;
      } catch (error) {
        this.#notice({ level: 'warn', message: 'The database does not answer.', error });
      }
      await pause(LOOK_AGAIN, signal);
    }
    this.#stopped = undefined;
  }

  async #mark(live: Generation, reason: string): Promise<void> {
    const runner = this.#dataSource.createQueryRunner();
    try {
      await markStopped(runner, live, live.position, reason);
    } finally {
      await runner.release();
    }
  }

  #inTrouble(error: unknown): void {
    const message = failureMessage(error);
    if (this.#trouble === undefined) {
      this.#notice({ level: 'warn', message: `The projection waits: ${message}`, error });
    }
    this.#trouble = `The projection waits: ${message}`;
  }

  #recovered(): void {
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#notice({ level: 'info', message: `The projection goes on at ${this.position}.` });
  }

  #notice(notice: ProjectionNotice): void {
    this.#options.onNotice?.(notice);
  }
}

function stopOf(error: unknown, position: number): Stop {
  const sequence = error instanceof CannotApplyError ? error.sequence : position + 1;
  return { sequence, reason: failureMessage(error) };
}
