import {
  collectionIdOf,
  definitionId,
  type AnyRecordedEvent,
  type DefinitionKind,
  type EventType,
} from '@catena/events';
import { EMPTY_HEAD, type AggregateHead, type EventLog } from '@catena/event-log';
import {
  CollectionsSeen,
  evolveDefinition,
  evolveLiveSchedule,
  evolveSchedule,
  initialSchedule,
  RunsSeen,
  scheduleKnowledge,
  type CollectionKnowledge,
  type DefinitionState,
  type LiveSchedule,
  type OpenRun,
  type Outcomes,
  type ScheduleKnowledge,
  type ScheduleState,
} from '@catena/schedule';
import { BackgroundWork, EVENT_LOG, Log, LogPosition, pause } from '@catena/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DefinitionShelf, type ShelvedDefinition } from './definition-shelf.ts';
import { placeOf, ScheduleIndex } from './schedule-index.ts';

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

const NO_KNOWLEDGE: CollectionKnowledge = { usableFull: false, firstFull: 'none' };

/** A schedule as it stands, with where its own history ends. */
export interface BookedSchedule {
  readonly live: LiveSchedule;
  readonly state: ScheduleState;
  readonly knowledge: ScheduleKnowledge;
  readonly head: AggregateHead;
}

/** Every definition and every schedule, followed from the log and kept in memory. */
@Injectable()
export class ScheduleBook implements OnApplicationBootstrap {
  readonly #definitions = new DefinitionShelf();
  readonly #live = new Map<string, LiveSchedule>();
  readonly #states = new Map<string, { state: ScheduleState; head: AggregateHead }>();
  readonly #collections = new CollectionsSeen();
  readonly #runs = new RunsSeen();
  readonly #index = new ScheduleIndex();
  /** By place. */
  readonly #collectionIds = new Map<string, string>();
  readonly #cancelling = new Set<string>();
  #changed = new Set<string>();
  readonly #position = new LogPosition('scheduler');
  readonly #listeners = new Set<() => void>();

  constructor(
    @Inject(EVENT_LOG) private readonly eventLog: EventLog,
    @Inject(BackgroundWork) private readonly work: BackgroundWork,
    @Inject(Log) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.work.start('schedule book', async (signal, healthy) => {
      const from = this.#position.through + 1;
      for await (const batch of this.eventLog.follow({ from, types: FOLLOWED, signal })) {
        for (const event of batch.events) this.#apply(event);
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

  /** Calls back whenever something was read that may change what is due. */
  onChange(listener: () => void): { stop(): void } {
    this.#listeners.add(listener);
    return { stop: () => void this.#listeners.delete(listener) };
  }

  /** Names of schedules of which something was read since the last call that may change what is due. */
  takeChanged(): Iterable<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** Runs that are not over. */
  openRuns(): Iterable<OpenRun> {
    return this.#runs.open();
  }

  openRunsOf(scheduleUid: string): OpenRun[] {
    return this.#runs.openOf(scheduleUid);
  }

  outcomesOf(scheduleUid: string): Outcomes {
    return this.#runs.outcomesOf(scheduleUid);
  }

  /** Schedules that wait for a run which they want to be cancelled. */
  cancelling(): BookedSchedule[] {
    return [...this.#cancelling].flatMap((uid) => {
      const name = this.#index.nameOf(uid);
      return (name === undefined ? undefined : this.schedule(name)) ?? [];
    });
  }

  /** Definitions that are not deleted. */
  definitions(): DefinitionState[] {
    return [...this.#definitions.states()].filter(({ deleted }) => !deleted);
  }

  /** A definition's history as far as it was read, deleted or not. */
  definition(kind: DefinitionKind, name: string): ShelvedDefinition {
    return this.#definitions.get(definitionId(kind, name));
  }

  /** Of all schedules that are defined. */
  names(): string[] {
    return [...this.#live.values()].map(({ name }) => name);
  }

  schedules(): BookedSchedule[] {
    return [...this.#live.values()].map((live) => this.#booked(live));
  }

  schedule(name: string): BookedSchedule | undefined {
    const live = this.#live.get(definitionId('Schedule', name));
    return live && this.#booked(live);
  }

  #booked(live: LiveSchedule): BookedSchedule {
    const { state, head } = this.#states.get(live.uid) ?? { state: initialSchedule, head: EMPTY_HEAD };
    const knowledge = scheduleKnowledge(
      live,
      this.#collectionOf(live),
      this.#runs,
      (name) => this.#live.get(definitionId('Schedule', name))?.uid,
    );
    return { live, state, head, knowledge };
  }

  #collectionOf({ spec: { source, repository } }: LiveSchedule): CollectionKnowledge {
    const collection = this.#collectionAt(source, repository);
    return collection === undefined ? NO_KNOWLEDGE : this.#collections.of({ source, repository, collection });
  }

  /** Its id is a digest, so it is worked out once for a place; again when the source or the repository is another. */
  #collectionAt(source: string, repository: string): string | undefined {
    const place = placeOf(source, repository);
    const known = this.#collectionIds.get(place);
    if (known !== undefined) return known;
    const sourceUid = this.definition('Source', source).state?.uid;
    const repositoryUid = this.definition('Repository', repository).state?.uid;
    if (sourceUid === undefined || repositoryUid === undefined) return undefined;
    const collection = collectionIdOf(sourceUid, repositoryUid);
    this.#collectionIds.set(place, collection);
    this.#index.locate(place, collection);
    return collection;
  }

  #apply(event: AnyRecordedEvent): void {
    const head = { sequence: event.sequence, hash: event.hash };
    const { type, id } = event.aggregate;
    if (type === 'definition') this.#applyToDefinition(id, event, head);
    else if (type === 'schedule') this.#applyToSchedule(id, event, head);
    else this.#collections.observe(event);
    if (type === 'collection') this.#mark(this.#index.ofCollection(id));
    const run = this.#runs.observe(event);
    if (run) this.#mark(this.#index.touchedBy(run));
  }

  #mark(names: Iterable<string>): void {
    for (const name of names) this.#changed.add(name);
  }

  #applyToSchedule(uid: string, event: AnyRecordedEvent, head: AggregateHead): void {
    const state = evolveSchedule(this.#states.get(uid)?.state ?? initialSchedule, event);
    this.#states.set(uid, { state, head });
    if (Object.values(state.waiting ?? {}).some(({ reason }) => reason === 'cancelPrevious')) {
      this.#cancelling.add(uid);
    } else this.#cancelling.delete(uid);
    const name = this.#index.nameOf(uid);
    if (name !== undefined) this.#changed.add(name);
  }

  #applyToDefinition(id: string, event: AnyRecordedEvent, head: AggregateHead): void {
    // Only a deletion builds upon what was there before; opening the text of each would be for nothing.
    const before = event.type === 'definition.deleted' ? this.#definitions.get(id).state : undefined;
    this.#definitions.put(id, { state: evolveDefinition(before, event), head });
    if (event.type !== 'definition.applied' && event.type !== 'definition.deleted') return;
    const { kind, name } = event.data;
    if (kind === 'Schedule') {
      const before = this.#live.get(id);
      const live = this.#liveAfter(id, event);
      if (before) this.#index.remove(before);
      if (live === undefined) this.#live.delete(id);
      else {
        this.#live.set(id, live);
        this.#index.add(live);
      }
      this.#changed.add(name);
    }
    this.#mark(this.#index.naming(kind, name));
    for (const place of this.#index.placesOf(kind, name)) {
      this.#collectionIds.delete(place);
      this.#locate(place);
    }
    if (kind === 'Schedule') this.#locateSchedule(name);
  }

  /** Remembers which collection a schedule writes to, once its source and repository are known. */
  #locateSchedule(name: string): void {
    const live = this.#live.get(definitionId('Schedule', name));
    if (live) this.#collectionAt(live.spec.source, live.spec.repository);
  }

  #locate(place: string): void {
    const [source = '', repository = ''] = place.split(' ');
    this.#collectionAt(source, repository);
  }

  /** A definition that this build cannot read fires nothing, and stops no other (rule 3.10). */
  #liveAfter(id: string, event: AnyRecordedEvent): LiveSchedule | undefined {
    try {
      return evolveLiveSchedule(this.#live.get(id), event);
    } catch (error) {
      this.log.error('a schedule cannot be read and fires nothing', { definition: id, error });
      return undefined;
    }
  }
}
