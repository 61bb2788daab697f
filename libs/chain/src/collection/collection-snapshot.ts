import type { CollectionState } from './collection-state.ts';

/** A map as its entries, an entry without a value as its key alone, so that JSON gives back what was there. */
interface MapJson {
  readonly map: readonly (readonly [unknown] | readonly [unknown, unknown])[];
}

interface SetJson {
  readonly set: readonly unknown[];
}

/**
 * The collection as JSON and back, so that a long history need not be read whole. The version is to be raised whenever
 * a field of the state or what `evolveCollection` does changes: snapshots of before are then left alone.
 */
export const collectionSnapshot = {
  fold: 'collection',
  version: 2,
  toJson(state: CollectionState): unknown {
    return Object.fromEntries(Object.entries(state).map(([name, value]) => [name, fieldToJson(value)]));
  },
  fromJson(json: unknown): CollectionState {
    const fields = Object.entries(json as Record<string, unknown>);
    return Object.fromEntries(
      fields.map(([name, value]) => [name, fieldFromJson(value)]),
    ) as unknown as CollectionState;
  },
};

function fieldToJson(value: unknown): unknown {
  if (value instanceof Set) return { set: [...(value as Set<unknown>)] } satisfies SetJson;
  if (!(value instanceof Map)) return value;
  const entries = [...(value as Map<unknown, unknown>)];
  return {
    map: entries.map(([key, held]) => (held === undefined ? ([key] as const) : ([key, held] as const))),
  } satisfies MapJson;
}

function fieldFromJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('set' in value) return new Set((value as SetJson).set);
  if ('map' in value)
    return new Map((value as MapJson).map.map(([key, held]) => [key, held] as [unknown, unknown]));
  return value;
}
