import type { DefinitionKind } from '@catena/events';
import type { LiveSchedule, OpenRun } from '@catena/schedule';

/** Which schedules something concerns, so that an event costs what it touches and not what there is. */
export class ScheduleIndex {
  readonly #nameOfUid = new Map<string, string>();
  /** By `Source/x`, `Repository/x`, `Schedule/x` (those that come after it), place and collection: names of schedules. */
  readonly #names = new Map<string, Set<string>>();
  readonly #collections = new Map<string, string>();

  add(live: LiveSchedule): void {
    this.#nameOfUid.set(live.uid, live.name);
    for (const key of keysOf(live)) {
      const known = this.#names.get(key);
      if (known) known.add(live.name);
      else this.#names.set(key, new Set([live.name]));
    }
  }

  remove(live: LiveSchedule): void {
    this.#nameOfUid.delete(live.uid);
    for (const key of keysOf(live)) {
      const known = this.#names.get(key);
      known?.delete(live.name);
      if (known?.size === 0) this.#names.delete(key);
    }
  }

  /** Tells which collection a schedule writes to. */
  locate({ spec }: LiveSchedule, collection: string): void {
    this.#collections.set(collection, placeKey(`${spec.source} ${spec.repository}`));
  }

  nameOf(uid: string): string | undefined {
    return this.#nameOfUid.get(uid);
  }

  /** Schedules that name a definition. */
  naming(kind: DefinitionKind, name: string): Iterable<string> {
    return this.#names.get(`${kind}/${name}`) ?? [];
  }

  ofCollection(collection: string): Iterable<string> {
    return this.#names.get(this.#collections.get(collection) ?? '') ?? [];
  }

  /** Schedules to which it matters that a run began or ended. */
  *touchedBy({ schedule, place }: OpenRun): Iterable<string> {
    if (schedule !== undefined) {
      yield schedule;
      yield* this.naming('Schedule', schedule);
    }
    if (place !== undefined) yield* this.#names.get(placeKey(place)) ?? [];
  }
}

function keysOf({ spec: { source, repository, policies } }: LiveSchedule): string[] {
  return [
    `Source/${source}`,
    `Repository/${repository}`,
    placeKey(`${source} ${repository}`),
    ...policies.after.map((name) => `Schedule/${name}`),
  ];
}

function placeKey(place: string): string {
  return `place/${place}`;
}
