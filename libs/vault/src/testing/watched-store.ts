import { FsStore } from '../index.ts';
import type { ObjectStore, ObjectWriter } from '../index.ts';
import { StoreError } from '../error/store-error.ts';

/**
 * A folder store that tells when each object has become durable, and that can be given a size at which it is full, like a
 * small disk.
 */
export class WatchedStore extends FsStore implements ObjectStore {
  /** Names in the order in which they became durable. */
  readonly durable: string[] = [];
  /** Bytes that may still be written. */
  capacity = Infinity;

  override async create(name: string): Promise<ObjectWriter> {
    const writer = await super.create(name);
    return {
      write: async (bytes) => {
        this.capacity -= bytes.length;
        if (this.capacity < 0) throw new StoreError('write', name, this.location, { code: 'ENOSPC' });
        await writer.write(bytes);
      },
      commit: async () => {
        const created = await writer.commit();
        if (created) this.durable.push(name);
        return created;
      },
      abort: () => writer.abort(),
    };
  }
}
