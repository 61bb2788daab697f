export interface StoredObject {
  /** '/'-separated, relative to the store's root. */
  readonly name: string;
  readonly size: number;
}

/** What is left of an object that somebody began to write. */
export interface UnfinishedObject {
  /** Its name among the unfinished; says nothing of the object it was to become. */
  readonly name: string;
  readonly size: number;
  /** Since it was last written to, by the clock of the store. */
  readonly idleMilliseconds: number;
}

/** One object on its way into a store. Nothing can be seen under its name before `commit` has returned. */
export interface ObjectWriter {
  /** Resolves when more may be written. The store is done with `bytes` when it resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the object durable and visible under its name, if there is none yet: `false` when there is one, which
   * then stays as it is.
   */
  commit(): Promise<boolean>;
  /** Gives up and removes what was written. Harmless after `commit`. */
  abort(): Promise<void>;
}

/**
 * Where a repository lies. Objects are never changed. Anything that returned as created survives a power cut.
 * Every method may throw `StoreError`.
 */
export interface ObjectStore {
  /** For messages: path or URL, without secrets. */
  readonly location: string;
  /** Creates an object if there is none of that name; `false` when there is one, which then stays as it is. */
  putIfAbsent(name: string, bytes: Uint8Array): Promise<boolean>;
  /** Starts writing an object of unknown size. */
  create(name: string): Promise<ObjectWriter>;
  /**
   * `length` bytes from `offset`; fewer only when the object ends before. Their memory is the caller's from then on.
   * @throws ObjectMissingError
   */
  read(name: string, offset: number, length: number): Promise<Uint8Array>;
  /**
   * An object as an open file of this process, for as long as it is not released; `undefined` when there is no such
   * object. Stores whose objects are no files of this machine do not have this.
   */
  openDescriptor?(
    name: string,
  ): Promise<{ readonly descriptor: number; readonly release: () => Promise<void> } | undefined>;
  /** Size in bytes; `undefined` when there is no such object. */
  size(name: string): Promise<number | undefined>;
  /** Every object whose name begins with `prefix` (a folder ending in '/', or empty), sorted by name in each folder. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** What lies directly in a folder (`prefix` ends in '/', or is empty): objects, and names of folders without '/'. */
  listFolder(prefix: string): Promise<{ objects: StoredObject[]; folders: string[] }>;
  /** Removes an object durably; `false` when there was none. */
  delete(name: string): Promise<boolean>;
  /** Objects that were begun and never committed, those of writers at work among them. */
  listUnfinished(): Promise<readonly UnfinishedObject[]>;
  /** Removes one of them; its writer, if there still is one, fails when it commits. `false` when it is gone. */
  removeUnfinished(name: string): Promise<boolean>;
  /** Bytes that can still be written; `undefined` where that cannot be told. */
  freeBytes(): Promise<number | undefined>;
  close(): Promise<void>;
}
