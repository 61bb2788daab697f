/** A map's entries as they are now, whatever becomes of the map while they are gone through. Two words for each. */
export function frozenEntries<K, V>(map: ReadonlyMap<K, V>): Iterable<readonly [K, V]> {
  const keys = [...map.keys()];
  const values = [...map.values()];
  return {
    *[Symbol.iterator]() {
      for (const [index, key] of keys.entries()) yield [key, values[index] as V] as const;
    },
  };
}
