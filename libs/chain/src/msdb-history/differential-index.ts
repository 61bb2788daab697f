import { comparePositions } from '../position.ts';
import { endOf, type HistorySet } from './history-set.ts';

/**
 * The newest differential of each base. A differential binds to its base's id, else to its checkpoint (sqlserver.md
 * section 3, step 4), never to a copy-only base. When a history names neither, order decides and a note says so.
 */
export class DifferentialIndex {
  readonly #newest = new Map<string, HistorySet>();
  readonly #byOrder = new Set<HistorySet>();
  readonly #isNewer: (a: HistorySet, b: HistorySet) => boolean;

  constructor(
    fulls: readonly HistorySet[],
    differentials: readonly HistorySet[],
    isNewer: (a: HistorySet, b: HistorySet) => boolean,
  ) {
    const guidsAreKnown = fulls.every((full) => full.guid !== undefined);
    for (const differential of differentials) {
      const key = this.#keyOf(differential, guidsAreKnown, fulls, isNewer);
      const known = key === undefined ? undefined : this.#newest.get(key);
      if (key !== undefined && (known === undefined || isNewer(differential, known))) {
        this.#newest.set(key, differential);
      }
    }
    this.#isNewer = isNewer;
  }

  newestOf(base: HistorySet): HistorySet | undefined {
    if (base.copyOnly) return undefined;
    const byId = this.#newest.get(`id ${base.guid ?? base.id}`);
    const byLsn =
      base.checkpointLsn === undefined ? undefined : this.#newest.get(`lsn ${base.checkpointLsn}`);
    if (byId === undefined || byLsn === undefined) return byId ?? byLsn;
    return this.#isNewer(byLsn, byId) ? byLsn : byId;
  }

  /** Whether only the order of the sets says which base it has. */
  isBoundByOrder(differential: HistorySet): boolean {
    return this.#byOrder.has(differential);
  }

  #keyOf(
    differential: HistorySet,
    guidsAreKnown: boolean,
    fulls: readonly HistorySet[],
    isNewer: (a: HistorySet, b: HistorySet) => boolean,
  ): string | undefined {
    const { differentialBaseGuid: guid } = differential;
    if (guid !== undefined && guidsAreKnown) return `id ${guid}`;
    const lsn = differential.differentialBaseLsn ?? differential.databaseBackupLsn;
    if (lsn !== undefined) return `lsn ${lsn}`;
    if (guid !== undefined) return undefined;
    let base: HistorySet | undefined;
    for (const full of fulls) {
      if (full.copyOnly || isNewer(full, differential)) continue;
      if (base === undefined || isNewer(full, base)) base = full;
    }
    if (base === undefined) return undefined;
    this.#byOrder.add(differential);
    return `id ${base.guid ?? base.id}`;
  }
}

/** Newer by position where both have one, else by time. */
export function newerBy(
  timeOf: (set: HistorySet) => number | undefined,
): (a: HistorySet, b: HistorySet) => boolean {
  return (a, b) => {
    const [left, right] = [endOf(a), endOf(b)];
    if (left !== undefined && right !== undefined) {
      const order = comparePositions(left, right);
      if (order !== 0) return order > 0;
    }
    return (timeOf(a) ?? 0) > (timeOf(b) ?? 0);
  };
}
