import { collectionIdOf, type AnyRecordedEvent, type DefinitionKind } from '@catena/events';
import { EMPTY_HEAD, type AggregateHead } from '@catena/event-log';
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
  type ScheduleKnowledge,
  type ScheduleState,
} from '@catena/schedule';
import type { BookPage, CapturedBook } from './book-pages.ts';
import { DefinitionShelf, type ShelvedDefinition } from './definition-shelf.ts';
import { frozenEntries } from './frozen-entries.ts';
import { placeOf, ScheduleIndex } from './schedule-index.ts';
import { ScheduleShelf } from './schedule-shelf.ts';

const NO_KNOWLEDGE: CollectionKnowledge = { usableFull: false, firstFull: 'none' };
const NO_HISTORY: ScheduleHistory = { state: initialSchedule, head: EMPTY_HEAD };

/** What a schedule's own events say, and where they end. */
export interface ScheduleHistory {
  readonly state: ScheduleState;
  readonly head: AggregateHead;
}

/** A schedule as it stands, with where its own history ends. */
export interface BookedSchedule extends ScheduleHistory {
  readonly live: LiveSchedule;
  readonly knowledge: ScheduleKnowledge;
}

/** Every definition and every schedule, folded from the log's events in order. */
export class Book {
  readonly definitions = new DefinitionShelf();
  readonly live = new ScheduleShelf(this.definitions);
  readonly runs = new RunsSeen();
  readonly #collections = new CollectionsSeen();
  readonly #histories = new Map<string, ScheduleHistory>();
  readonly #index = new ScheduleIndex();
  /** By place. */
  readonly #collectionIds = new Map<string, string>();
  readonly #cancelling = new Set<string>();
  readonly #onUnreadable: (definition: string, error: unknown) => void;
  #changed = new Set<string>();

  /** @param onUnreadable is told of a schedule that this build cannot read. */
  constructor(onUnreadable: (definition: string, error: unknown) => void) {
    this.#onUnreadable = onUnreadable;
  }

  /** Names of schedules of which something was read since the last call that may change what is due. */
  takeChanged(): Iterable<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** Schedules that wait for a run which they want to be cancelled. */
  cancelling(): BookedSchedule[] {
    return [...this.#cancelling].flatMap((uid) => {
      const name = this.#index.nameOf(uid);
      return (name === undefined ? undefined : this.schedule(name)) ?? [];
    });
  }

  definition(kind: DefinitionKind, name: string): ShelvedDefinition {
    return this.definitions.get(kind, name);
  }

  schedule(name: string): BookedSchedule | undefined {
    const live = this.live.get(name);
    if (!live) return undefined;
    const knowledge = scheduleKnowledge(live, this.#collectionOf(live), this.runs, (other) =>
      this.live.uidOf(other),
    );
    return { live, ...(this.#histories.get(live.uid) ?? NO_HISTORY), knowledge };
  }

  /** Names of the repositories into which schedules back up a source. */
  repositoriesOf(source: string): string[] {
    return [...this.#index.repositoriesOf(source)];
  }

  apply(event: AnyRecordedEvent): void {
    const head = { sequence: event.sequence, hash: event.hash };
    const { type, id } = event.aggregate;
    if (event.type === 'definition.applied' || event.type === 'definition.deleted')
      this.#applyToDefinition(event, head);
    else if (type === 'schedule') this.#applyToSchedule(id, event, head);
    else this.#collections.observe(event);
    if (type === 'collection') this.#mark(this.#index.ofCollection(id));
    const run = this.runs.observe(event);
    if (run) this.#mark(this.#index.touchedBy(run));
  }

  /** All of it as it is now; what is applied later does not change it. */
  capture(): CapturedBook {
    return {
      definitions: this.definitions.capture(),
      schedules: this.live.capture(),
      histories: frozenEntries(this.#histories),
      runs: this.runs.capture(),
      collections: this.#collections.capture(),
    };
  }

  /** Takes in a page of what was captured; all pages in order make the book as it was. */
  restore(page: BookPage): void {
    for (const definition of page.definitions ?? []) this.definitions.restore(definition);
    for (const schedule of page.schedules ?? []) {
      this.live.restore(schedule);
      const live = this.live.get(schedule[0]);
      if (!live) continue;
      this.#index.add(live);
      this.#collectionAt(live.spec.source, live.spec.repository);
      this.#changed.add(live.name);
    }
    for (const [uid, history] of page.histories ?? []) this.#remember(uid, history);
    if (page.runs) this.runs.restore(page.runs);
    if (page.collections) this.#collections.restore(page.collections);
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

  #mark(names: Iterable<string>): void {
    for (const name of names) this.#changed.add(name);
  }

  #applyToSchedule(uid: string, event: AnyRecordedEvent, head: AggregateHead): void {
    const { state } = this.#histories.get(uid) ?? NO_HISTORY;
    this.#remember(uid, { state: evolveSchedule(state, event), head });
    const name = this.#index.nameOf(uid);
    if (name !== undefined) this.#changed.add(name);
  }

  #remember(uid: string, history: ScheduleHistory): void {
    this.#histories.set(uid, history);
    const waiting = Object.values(history.state.waiting ?? {});
    if (waiting.some(({ reason }) => reason === 'cancelPrevious')) this.#cancelling.add(uid);
    else this.#cancelling.delete(uid);
  }

  #applyToDefinition(
    event: Extract<AnyRecordedEvent, { type: 'definition.applied' | 'definition.deleted' }>,
    head: AggregateHead,
  ): void {
    const { kind, name } = event.data;
    const live = kind === 'Schedule' ? this.live.get(name) : undefined;
    // Only a deletion builds upon what was there before; opening the text of each would be for nothing.
    const before = event.type === 'definition.deleted' ? this.definition(kind, name).state : undefined;
    const state = evolveDefinition(before, event);
    if (state) this.definitions.put(state, head);
    if (kind === 'Schedule') this.#replace(live, this.#liveAfter(live, event), name);
    this.#mark(this.#index.naming(kind, name));
    for (const place of this.#index.placesOf(kind, name)) {
      this.#collectionIds.delete(place);
      this.#locate(place);
    }
    const after = kind === 'Schedule' ? this.live.get(name) : undefined;
    // Remembers which collection it writes to, once its source and repository are known.
    if (after) this.#collectionAt(after.spec.source, after.spec.repository);
  }

  #replace(before: LiveSchedule | undefined, live: LiveSchedule | undefined, name: string): void {
    if (before) this.#index.remove(before);
    if (live === undefined) this.live.delete(name);
    else {
      this.live.put(live);
      this.#index.add(live);
    }
    this.#changed.add(name);
  }

  #locate(place: string): void {
    const [source = '', repository = ''] = place.split(' ');
    this.#collectionAt(source, repository);
  }

  /** A definition that this build cannot read fires nothing, and stops no other (rule 3.10). */
  #liveAfter(before: LiveSchedule | undefined, event: AnyRecordedEvent): LiveSchedule | undefined {
    try {
      return evolveLiveSchedule(before, event);
    } catch (error) {
      this.#onUnreadable(event.aggregate.id, error);
      return undefined;
    }
  }
}

/** Definitions that are not deleted. */
export function definedIn(book: Book): DefinitionState[] {
  return [...book.definitions.states()].filter(({ deleted }) => !deleted);
}
