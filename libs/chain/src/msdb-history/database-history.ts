import type { HistorySet } from './history-set.ts';

/** All sets that can belong to one database. */
export interface DatabaseHistory {
  readonly database: string;
  readonly server: string | undefined;
  readonly availabilityGroup: string | undefined;
  readonly sets: readonly HistorySet[];
}

/**
 * Groups sets by database: names without case, the availability group before the server, because a chain moves with the
 * group. Sets that a replica took before it had the group join it when they are of the same family.
 */
export function databasesOf(sets: readonly HistorySet[]): DatabaseHistory[] {
  const groups = new Map<string, HistorySet[]>();
  const groupOfReplica = new Map<string, string>();
  for (const set of sets) {
    if (set.availabilityGroup === undefined) continue;
    groupOfReplica.set(replicaKey(set), keyOf(set));
  }
  for (const set of sets) {
    const key =
      set.availabilityGroup === undefined ? (groupOfReplica.get(replicaKey(set)) ?? keyOf(set)) : keyOf(set);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [set]);
    else group.push(set);
  }
  return [...groups.values()].flatMap((group) => {
    const named = group.find((set) => set.availabilityGroup !== undefined) ?? group[0];
    if (named === undefined) return [];
    const { database, availabilityGroup } = named;
    const server = availabilityGroup === undefined ? named.server : undefined;
    return [{ database, server, availabilityGroup, sets: group }];
  });
}

function keyOf(set: HistorySet): string {
  const owner =
    set.availabilityGroup === undefined ? ['server', set.server ?? ''] : ['group', set.availabilityGroup];
  return JSON.stringify([...owner, set.database].map((part) => part.toLowerCase()));
}

function replicaKey(set: HistorySet): string {
  return JSON.stringify([set.server ?? '', set.database, set.family ?? ''].map((part) => part.toLowerCase()));
}
