import { ObjectMissingError, type ObjectStore, type ObjectWriter, type StoredObject } from '../index.ts';
import { StoreError } from '../error/store-error.ts';

const VALID = /^[^/.][^/]*(\/[^/.][^/]*)*$/;

/** A store without a disk: what a disk held after a power cut can be looked at, and gone on with, thousands of times. */
export class MemoryStore implements ObjectStore {
  readonly location = 'memory';
  readonly objects: Map<string, Uint8Array>;

  constructor(objects: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.objects = new Map(objects);
  }

  private check(name: string): void {
    if (!VALID.test(name)) throw new StoreError('use', name, this.location, new Error('not a name'));
  }

  async putIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
    const writer = await this.create(name);
    await writer.write(bytes);
    return writer.commit();
  }

  create(name: string): Promise<ObjectWriter> {
    const pieces: Uint8Array[] = [];
    const commit = () => {
      if (this.objects.has(name)) return Promise.resolve(false);
      this.objects.set(name, Buffer.concat(pieces));
      return Promise.resolve(true);
    };
    return Promise.resolve().then(() => {
      this.check(name);
      return {
        write: (bytes) => {
          pieces.push(Uint8Array.from(bytes));
          return Promise.resolve();
        },
        commit,
        abort: () => Promise.resolve(),
      };
    });
  }

  read(name: string, offset: number, length: number): Promise<Uint8Array> {
    const found = this.objects.get(name);
    return found === undefined
      ? Promise.reject(new ObjectMissingError(name, this.location))
      : Promise.resolve(Buffer.from(found.subarray(offset, offset + length)));
  }

  size(name: string): Promise<number | undefined> {
    return Promise.resolve(this.objects.get(name)?.length);
  }

  listFolder(prefix: string): Promise<{ objects: StoredObject[]; folders: string[] }> {
    const objects: StoredObject[] = [];
    const folders = new Set<string>();
    for (const [name, bytes] of this.objects) {
      if (!name.startsWith(prefix)) continue;
      const [first, ...more] = name.slice(prefix.length).split('/') as [string, ...string[]];
      if (more.length > 0) folders.add(first);
      else objects.push({ name, size: bytes.length });
    }
    objects.sort((a, b) => (a.name < b.name ? -1 : 1));
    return Promise.resolve({ objects, folders: [...folders].sort() });
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    const { objects, folders } = await this.listFolder(prefix);
    yield* objects;
    for (const folder of folders) yield* this.list(`${prefix}${folder}/`);
  }

  delete(name: string): Promise<boolean> {
    return Promise.resolve(this.objects.delete(name));
  }

  listUnfinished(): Promise<never[]> {
    return Promise.resolve([]);
  }

  removeUnfinished(): Promise<boolean> {
    return Promise.resolve(false);
  }

  freeBytes(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
