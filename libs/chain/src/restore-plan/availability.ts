import type { RestorableBackup, RestoreRepository } from './restorable.ts';

/** One backup that is read for a step. */
export interface NeededBackup {
  readonly backup: string;
  readonly bytes: number;
  readonly present: boolean;
}

/** What a step takes from one repository. */
export interface Availability {
  readonly backup: RestorableBackup;
  /** Oldest first, the backup itself last. */
  readonly needs: readonly NeededBackup[];
  readonly bytes: number;
  readonly keyIds: readonly string[];
  /** Why it cannot be had; absent when it can. */
  readonly lacks?: string;
}

/** Answers for any backup whether it can be restored from where it lies. */
export class AvailabilityIndex {
  readonly #backups = new Map<string, Map<string, RestorableBackup>>();
  readonly #repositories: ReadonlyMap<string, RestoreRepository>;

  constructor(backups: readonly RestorableBackup[], repositories: readonly RestoreRepository[]) {
    for (const backup of backups) {
      const known = this.#backups.get(backup.repository);
      if (known === undefined) this.#backups.set(backup.repository, new Map([[backup.backup, backup]]));
      else known.set(backup.backup, backup);
    }
    this.#repositories = new Map(repositories.map((one) => [one.name, one]));
  }

  /** Why the backup cannot be had; undefined when it can. */
  lacks(backup: RestorableBackup): string | undefined {
    if (backup.state !== 'usable') return `it is ${backup.state}`;
    const repository = this.#repositories.get(backup.repository);
    if (repository?.reachable === false) return `the repository ${repository.name} cannot be reached`;
    const held = repository?.keysHeld;
    const lost = (one: RestorableBackup) => held && one.keyIds.find((id) => !held.has(id));
    let key = lost(backup);
    for (const id of backup.closure) {
      const part = this.#partOf(backup, id);
      if (part === undefined || !hasObjects(part)) return `${id}, which it needs, is not usable`;
      key ??= lost(part);
    }
    return key === undefined ? undefined : `the key ${key} is not at hand`;
  }

  of(backup: RestorableBackup): Availability {
    const parts = backup.closure.map((id) => ({ id, part: this.#partOf(backup, id) }));
    const needs = [...parts, { id: backup.backup, part: backup }].map(({ id, part }) => ({
      backup: id,
      bytes: part?.bytes ?? 0,
      present: part !== undefined && hasObjects(part),
    }));
    const keyIds = new Set([...parts.flatMap(({ part }) => part?.keyIds ?? []), ...backup.keyIds]);
    const lacks = this.lacks(backup);
    return {
      backup,
      needs,
      bytes: needs.reduce((sum, need) => sum + need.bytes, 0),
      keyIds: [...keyIds],
      ...(lacks === undefined ? {} : { lacks }),
    };
  }

  /** The cheapest of several places that have the same thing; when none has it, the first. */
  best(places: readonly RestorableBackup[]): RestorableBackup | undefined {
    const [first, second] = places;
    if (second === undefined) return first;
    let best: { place: RestorableBackup; cost: number } | undefined;
    for (const place of places) {
      if (this.lacks(place) !== undefined) continue;
      const cost = this.#costOf(place);
      if (best === undefined || cost < best.cost) best = { place, cost };
    }
    return best?.place ?? first;
  }

  #costOf(backup: RestorableBackup): number {
    const bytes = backup.closure.reduce(
      (sum, id) => sum + (this.#partOf(backup, id)?.bytes ?? 0),
      backup.bytes,
    );
    return bytes * (this.#repositories.get(backup.repository)?.cost ?? 1);
  }

  #partOf(backup: RestorableBackup, id: string): RestorableBackup | undefined {
    return this.#backups.get(backup.repository)?.get(id);
  }
}

/** An expired backup is no restore point, but its objects are there for those that need them. */
function hasObjects(backup: RestorableBackup): boolean {
  return backup.state === 'usable' || backup.state === 'expired';
}
