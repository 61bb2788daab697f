import type { DefinitionKind } from '@catena/events';
import type { LiveSchedule, OpenRun } from '@catena/schedule';
import { SetsByKey } from './sets-by-key.ts';

/** Which schedules something concerns, so that an event costs what it touches and not what there is. */
export class ScheduleIndex {
  readonly #nameOfUid = new Map<string, string>();
  /** Places (source and repository) by source, by repository, and by collection. */
  readonly #placesOfSource = new SetsByKey();
  readonly #placesOfRepository = new SetsByKey();
  readonly #placeOfCollection = new Map<string, string>();
  /** Names of schedules, by place and by the schedule that they come after. */
  readonly #atPlace = new SetsByKey();
  readonly #after = new SetsByKey();

  add(live: LiveSchedule): void {
    const { source, repository, policies } = live.spec;
    const place = placeOf(source, repository);
    this.#nameOfUid.set(live.uid, live.name);
    this.#placesOfSource.add(source, place);
    this.#placesOfRepository.add(repository, place);
    this.#atPlace.add(place, live.name);
    for (const before of policies.after) this.#after.add(before, live.name);
  }

  /** A place stays known when its last schedule is gone: another one may write there. */
  remove(live: LiveSchedule): void {
    const { source, repository, policies } = live.spec;
    this.#nameOfUid.delete(live.uid);
    this.#atPlace.delete(placeOf(source, repository), live.name);
    for (const before of policies.after) this.#after.delete(before, live.name);
  }

  /** Tells which collection is at a place. */
  locate(place: string, collection: string): void {
    this.#placeOfCollection.set(collection, place);
  }

  nameOf(uid: string): string | undefined {
    return this.#nameOfUid.get(uid);
  }

  /** Places that name a source or a repository. */
  placesOf(kind: DefinitionKind, name: string): Iterable<string> {
    if (kind === 'Source') return this.#placesOfSource.of(name);
    return kind === 'Repository' ? this.#placesOfRepository.of(name) : [];
  }

  /** Schedules that name a definition. */
  *naming(kind: DefinitionKind, name: string): Iterable<string> {
    if (kind === 'Schedule') yield* this.#after.of(name);
    for (const place of this.placesOf(kind, name)) yield* this.#atPlace.of(place);
  }

  /** Repositories into which schedules back up a source. */
  *repositoriesOf(source: string): Iterable<string> {
    for (const place of this.#placesOfSource.of(source))
      if (!isEmpty(this.#atPlace.of(place))) yield place.slice(source.length + 1);
  }

  ofCollection(collection: string): Iterable<string> {
    const place = this.#placeOfCollection.get(collection);
    return place === undefined ? [] : this.#atPlace.of(place);
  }

  /** Schedules to which it matters that a run began or ended. */
  *touchedBy({ schedule, place }: OpenRun): Iterable<string> {
    if (schedule !== undefined) {
      yield schedule;
      yield* this.#after.of(schedule);
    }
    if (place !== undefined) yield* this.#atPlace.of(place);
  }
}

/** A source and a repository, as `RunsSeen` names them too. */
export function placeOf(source: string, repository: string): string {
  return `${source} ${repository}`;
}

function isEmpty(all: Iterable<unknown>): boolean {
  return all[Symbol.iterator]().next().done === true;
}
