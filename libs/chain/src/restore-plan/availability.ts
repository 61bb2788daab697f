import type { RestorableBackup, RestoreRepository } from './restorable.ts';

/** One backup that is read for a step. */
export interface NeededBackup {
  readonly backup: string;
  readonly bytes: number;
  readonly present: boolean;
}

/** Whether a step can be had from one repository, and what it takes. */
export interface Availability {
  readonly backup: RestorableBackup;
  /** Oldest first, the backup itself last. */
  readonly needs: readonly NeededBackup[];
  readonly bytes: number;
  readonly keyIds: readonly string[];
  /** Bytes weighted with the repository's cost. */
  readonly cost: number;
  /** Why it cannot be had; absent when it can. */
  readonly lacks?: string;
}

/** Answers for any backup whether it can be restored from where it lies. Answers are remembered. */
export class AvailabilityIndex {
  readonly #backups = new Map<string, RestorableBackup>();
  readonly #repositories: ReadonlyMap<string, RestoreRepository>;
  readonly #known = new Map<string, Availability>();

  constructor(backups: readonly RestorableBackup[], repositories: readonly RestoreRepository[]) {
    for (const backup of backups) this.#backups.set(keyOf(backup.repository, backup.backup), backup);
    this.#repositories = new Map(repositories.map((one) => [one.name, one]));
  }

  of(backup: RestorableBackup): Availability {
    const key = keyOf(backup.repository, backup.backup);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#examine(backup);
      this.#known.set(key, known);
    }
    return known;
  }

  /** The cheapest of several places that have the same thing; of those that have it not, the first. */
  best(places: readonly RestorableBackup[]): Availability | undefined {
    let best: Availability | undefined;
    for (const place of places) {
      const one = this.of(place);
      if (best === undefined || isBetter(one, best)) best = one;
    }
    return best;
  }

  #examine(backup: RestorableBackup): Availability {
    const repository = this.#repositories.get(backup.repository);
    const parts = backup.closure.map((id) => this.#backups.get(keyOf(backup.repository, id)) ?? id);
    const known = parts.filter((part) => typeof part !== 'string');
    const needs = [
      ...parts.map((part) =>
        typeof part === 'string'
          ? { backup: part, bytes: 0, present: false }
          : { backup: part.backup, bytes: part.bytes, present: hasObjects(part) },
      ),
      { backup: backup.backup, bytes: backup.bytes, present: hasObjects(backup) },
    ];
    const bytes = needs.reduce((sum, need) => sum + need.bytes, 0);
    const keyIds = [...new Set([...known, backup].flatMap((part) => part.keyIds))];
    const lacks = whatLacks(backup, needs, keyIds, repository);
    return {
      backup,
      needs,
      bytes,
      keyIds,
      cost: bytes * (repository?.cost ?? 1),
      ...(lacks === undefined ? {} : { lacks }),
    };
  }
}

function whatLacks(
  backup: RestorableBackup,
  needs: readonly NeededBackup[],
  keyIds: readonly string[],
  repository: RestoreRepository | undefined,
): string | undefined {
  if (backup.state !== 'usable') return `it is ${backup.state}`;
  const absent = needs.find((need) => !need.present);
  if (absent !== undefined) return `${absent.backup}, which it needs, is not usable`;
  if (repository?.reachable === false) return `the repository ${repository.name} cannot be reached`;
  const held = repository?.keysHeld;
  const key = held && keyIds.find((id) => !held.has(id));
  return key === undefined ? undefined : `the key ${key} is not at hand`;
}

/** An expired backup is no restore point, but its objects are there for those that need them. */
function hasObjects(backup: RestorableBackup): boolean {
  return backup.state === 'usable' || backup.state === 'expired';
}

function isBetter(a: Availability, b: Availability): boolean {
  if ((a.lacks === undefined) !== (b.lacks === undefined)) return a.lacks === undefined;
  return a.lacks === undefined && a.cost < b.cost;
}

function keyOf(repository: string, backup: string): string {
  return `${repository}\n${backup}`;
}
