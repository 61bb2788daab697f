import { afterEach, beforeEach } from '@jest/globals';
import {
  initialiseRepository,
  newKeyFile,
  parseKeyFile,
  type Collection,
  type FinishedBackup,
  type Repository,
} from '../index.ts';
import { addTree, readBackup } from './file-tree.ts';
import { temporaryFolder } from './temporary-folder.ts';

const keys = [parseKeyFile(newKeyFile())];

/** A collection in a repository of its own for each test, and the short ways to write to it and to read it back. */
class CollectionUnderTest {
  #folder: Awaited<ReturnType<typeof temporaryFolder>> | undefined;
  #repository: Repository | undefined;
  #collection: Collection | undefined;

  async open(): Promise<void> {
    this.#folder = await temporaryFolder();
    this.#repository = await initialiseRepository(this.#folder.path, { keys, installation: 'here' });
    this.#collection = this.#repository.collection('photos');
  }

  async remove(): Promise<void> {
    await this.#repository?.close();
    await this.#folder?.remove();
  }

  /** Where the repository lies. */
  get folder(): string {
    return there(this.#folder).path;
  }

  get repository(): Repository {
    return there(this.#repository);
  }

  /** It is called photos. */
  get collection(): Collection {
    return there(this.#collection);
  }

  read(backup: string): ReturnType<typeof readBackup> {
    return readBackup(this.collection, backup);
  }

  async write(
    plan: Parameters<Collection['beginBackup']>[0],
    tree: ReadonlyMap<string, Uint8Array>,
  ): Promise<FinishedBackup> {
    const writer = await this.collection.beginBackup(plan);
    await addTree(writer, tree);
    return await writer.finish();
  }

  /** Of all packs of the repository. */
  async bytesInPacks(): Promise<number> {
    let bytes = 0;
    for await (const { name, size } of this.repository.store.list(''))
      if (name.includes('/pack-')) bytes += size;
    return bytes;
  }
}

/** To be called in a describe block. */
export function collectionForEach(): CollectionUnderTest {
  const collection = new CollectionUnderTest();
  beforeEach(() => collection.open());
  afterEach(() => collection.remove());
  return collection;
}

function there<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('There is a collection only while a test runs.');
  return part;
}
