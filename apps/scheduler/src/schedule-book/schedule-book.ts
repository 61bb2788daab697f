import type { DefinitionKind, EventType } from '@catena/events';
import {
  EMPTY_HEAD,
  loadPagedSnapshot,
  savePagedSnapshot,
  type AggregateHead,
  type EventLog,
  type Snapshots,
} from '@catena/event-log';
import type { DefinitionState, OpenRun, Outcomes } from '@catena/schedule';
import { BackgroundWork, EVENT_LOG, Log, LogPosition, pause, Readiness, SNAPSHOTS } from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Book, definedIn, type BookedSchedule } from './book.ts';
import { bookFold, pagesOf, type BookPage } from './book-pages.ts';
import type { ShelvedDefinition } from './definition-shelf.ts';

export type { BookedSchedule };

const FOLLOWED: readonly EventType[] = [
  'definition.applied',
  'definition.deleted',
  'schedule.fired',
  'schedule.skipped',
  'schedule.delayed',
  'schedule.paused',
  'schedule.resumed',
  'run.requested',
  'run.waiting',
  'run.planned',
  'run.claimed',
  'run.cancel-requested',
  'run.completed',
  'run.failed',
  'run.refused',
  'run.cancelled',
  'collection.backup-completed',
  'collection.backup-unusable',
];

/**
 * Every definition and every schedule, kept in memory: from a snapshot, if there is one, and what followed it in the log.
 * The snapshot is a cache; without it the whole log is read.
 */
@Injectable()
export class ScheduleBook implements OnApplicationBootstrap {
  #book = this.#emptyBook();
  readonly #position = new LogPosition('scheduler');
  readonly #listeners = new Set<() => void>();
  /** The last event that was applied. */
  #last: AggregateHead = EMPTY_HEAD;
  #savedThrough = 0;
  /** Where the log ended when this process began to read it. */
  #end: number | undefined;

  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(SNAPSHOTS) private readonly snapshots: Snapshots,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(Log) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.readiness.startsWith('event log', () => this.#left());
    this.work.start('schedule book', async (signal, healthy) => {
      if (this.#position.through === 0) await this.#restore();
      this.#end ??= await this.eventLog.lastSequence();
      const from = this.#position.through + 1;
      for await (const batch of this.eventLog.follow({ from, types: FOLLOWED, signal })) {
        for (const event of batch.events) {
          this.#book.apply(event);
          this.#last = { sequence: event.sequence, hash: event.hash };
        }
        this.#position.advance(batch.through);
        if (batch.events.length > 0) for (const listener of this.#listeners) listener();
        healthy();
      }
    });
  }

  /**
   * Resolves when everything that is in the log now has been seen; answers up to where.
   * @throws CatenaError `service.behind` (retryable).
   */
  async current(): Promise<number> {
    const sequence = await this.eventLog.lastSequence();
    await this.#position.reached(sequence);
    return sequence;
  }

  /**
   * As `current`, for as long as it takes or until the signal aborts: a million definitions are not read in a moment.
   */
  async caughtUp(signal: AbortSignal): Promise<void> {
    const sequence = await this.eventLog.lastSequence();
    while (this.#position.through < sequence && !signal.aborted) await pause(20, signal);
  }

  /** How far the log was read since the newest snapshot that this process knows of, in events of any kind. */
  get sinceSnapshot(): number {
    return this.#position.through - this.#savedThrough;
  }

  /**
   * Keeps the book as it stands now, so that the next start need not read the log from its first event. What is read
   * while it is written does not change it.
   */
  async saveSnapshot(): Promise<void> {
    const head = this.#last;
    const through = this.#position.through;
    if (head.sequence === 0) return;
    const pages = pagesOf(this.#book.capture());
    this.#savedThrough = through;
    await savePagedSnapshot(this.snapshots, bookFold, { head, pages });
    this.log.debug('the schedule book is kept', { through });
  }

  /** How many definitions it holds, deleted ones too. */
  get size(): number {
    return this.#book.definitions.size;
  }

  /** Calls back whenever something was read that may change what is due. */
  onChange(listener: () => void): { stop(): void } {
    this.#listeners.add(listener);
    return { stop: () => void this.#listeners.delete(listener) };
  }

  /** Names of schedules of which something was read since the last call that may change what is due. */
  takeChanged(): Iterable<string> {
    return this.#book.takeChanged();
  }

  /** Runs that are not over. */
  openRuns(): Iterable<OpenRun> {
    return this.#book.runs.open();
  }

  openRunsOf(scheduleUid: string): OpenRun[] {
    return this.#book.runs.openOf(scheduleUid);
  }

  outcomesOf(scheduleUid: string): Outcomes {
    return this.#book.runs.outcomesOf(scheduleUid);
  }

  /** Schedules that wait for a run which they want to be cancelled. */
  cancelling(): BookedSchedule[] {
    return this.#book.cancelling();
  }

  /** Definitions that are not deleted. */
  definitions(): DefinitionState[] {
    return definedIn(this.#book);
  }

  /** A definition's history as far as it was read, deleted or not. */
  definition(kind: DefinitionKind, name: string): ShelvedDefinition {
    return this.#book.definition(kind, name);
  }

  /** Of all schedules that are defined. */
  names(): string[] {
    return this.#book.live.names();
  }

  schedule(name: string): BookedSchedule | undefined {
    return this.#book.schedule(name);
  }

  /** Names of the repositories into which schedules back up a source. */
  repositoriesOf(source: string): string[] {
    return this.#book.repositoriesOf(source);
  }

  /** What is still to be read of what was there at the start. */
  #left(): string | undefined {
    const { through } = this.#position;
    if (this.#end === undefined) return 'is not read yet';
    return through >= this.#end ? undefined : `${through} of ${this.#end} events are read`;
  }

  async #restore(): Promise<void> {
    const book = this.#emptyBook();
    try {
      const head = await loadPagedSnapshot(this.eventLog, this.snapshots, bookFold, (page) =>
        book.restore(page as BookPage),
      );
      if (!head) return;
      this.#book = book;
      this.#last = head;
      this.#savedThrough = head.sequence;
      this.#position.advance(head.sequence);
      this.log.info('the schedule book begins with its snapshot', { through: head.sequence });
    } catch (error) {
      this.snapshots.onFailure(error);
    }
  }

  #emptyBook(): Book {
    return new Book((definition, error) =>
      this.log.error('a schedule cannot be read and fires nothing', { definition, error }),
    );
  }
}
