import { ObjectMissingError } from '../error/object-missing-error.ts';
import type { ObjectStore } from '../port/object-store.ts';

/**
 * A small object, whole.
 * @throws ObjectMissingError
 */
export async function readWhole(store: ObjectStore, name: string): Promise<Uint8Array> {
  const size = await store.size(name);
  if (size === undefined) throw new ObjectMissingError(name, store.location);
  return store.read(name, 0, size);
}

/** As `readWhole`, `undefined` when there is no such object. */
export async function readIfThere(store: ObjectStore, name: string): Promise<Uint8Array | undefined> {
  try {
    return await readWhole(store, name);
  } catch (error) {
    if (error instanceof ObjectMissingError) return undefined;
    throw error;
  }
}
