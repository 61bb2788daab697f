import { randomUUID } from 'node:crypto';
import { originOf } from '../container/object-header.ts';
import { NotOwnerError } from '../error/prune-error.ts';
import { NotARepositoryError, RepositoryExistsError } from '../error/repository-error.ts';
import type { KeyringPlace } from '../key/keyring.ts';
import type { ScryptCost, UnlockKey } from '../key/unlock-key.ts';
import { DEFAULT_SCRYPT } from '../key/unlock-key.ts';
import { openDocument, sealDocument } from '../manifest/sealed-document.ts';
import type { ObjectStore } from '../port/object-store.ts';
import { pruneCollection } from '../prune/prune-collection.ts';
import type { PruneOptions, PruneReport } from '../prune/prune-options.ts';
import { sweepRepository } from '../sweep/sweep-repository.ts';
import type { SweepOptions, SweepReport } from '../sweep/sweep-options.ts';
import { openStore } from '../store/open-store.ts';
import { readIfThere } from '../store/read-whole.ts';
import { Collection } from './collection.ts';
import type { CollectionContext } from './collection-context.ts';
import type { OwnerDocument, RepositoryDocument } from './documents.ts';
import { ownerDocument, repositoryDocument } from './documents.ts';
import { ExportedLogs } from './exported-logs.ts';
import { KeyringStore } from './keyring-store.ts';
import {
  CollectionLayout,
  decodeName,
  numberOf,
  OWN_FOLDER,
  OWNER_FOLDER,
  paddedNumber,
  REPOSITORY_DOCUMENT,
} from './layout.ts';

export interface OpenOptions {
  /** Keys to open the collections with, and to wrap the data key of a new one with. */
  readonly keys?: readonly UnlockKey[];
  /** Cost of new passphrase slots. */
  readonly scrypt?: ScryptCost;
  readonly now?: () => Date;
}

export interface InitialiseOptions extends OpenOptions {
  /** Installation that owns the repository: only it sweeps and prunes. */
  readonly installation: string;
  /** Default: encrypted when keys are given. */
  readonly encryption?: RepositoryDocument['encryption'];
}

const systemClock = () => new Date();

/** Where backups are stored. */
export class Repository {
  readonly document: RepositoryDocument;
  readonly store: ObjectStore;
  private readonly options: OpenOptions;

  constructor(store: ObjectStore, document: RepositoryDocument, options: OpenOptions) {
    this.store = store;
    this.document = document;
    this.options = options;
  }

  get id(): string {
    return this.document.id;
  }

  get encrypted(): boolean {
    return this.document.encryption !== 'none';
  }

  /** A collection by its id, whether it has backups or not. */
  collection(id: string): Collection {
    const { context, keyrings } = this.contextOf(id, new CollectionLayout(id));
    return new Collection(context, keyrings, this.options.scrypt ?? DEFAULT_SCRYPT);
  }

  /** Exports of the event log that are kept here, sealed under a keyring of their own. */
  exportedLogs(): ExportedLogs {
    const { context, keyrings } = this.contextOf(OWN_FOLDER, new CollectionLayout(OWN_FOLDER, OWN_FOLDER));
    return new ExportedLogs(context, keyrings);
  }

  private contextOf(
    id: string,
    layout: CollectionLayout,
  ): { context: CollectionContext; keyrings: KeyringStore } {
    const { store } = this;
    const { keys = [], scrypt = DEFAULT_SCRYPT, now = systemClock } = this.options;
    const place: KeyringPlace = { repository: this.id, collection: id, origin: originOf(this.id, id) };
    const keyrings = new KeyringStore({ store, layout, place, keys, scrypt, now });
    const { encrypted } = this;
    const keyring = async () => (encrypted ? keyrings.open() : undefined);
    return { context: { store, layout, place, encrypted, now, keyring }, keyrings };
  }

  /** Ids of the collections that have anything in the repository. */
  async collections(): Promise<string[]> {
    const { folders } = await this.store.listFolder('');
    return folders.map(decodeName).filter((id) => id !== undefined);
  }

  /** The installation that owns the repository now. */
  async owner(): Promise<OwnerDocument | undefined> {
    const { objects } = await this.store.listFolder(OWNER_FOLDER);
    const newest = objects.filter(({ name }) => numberOf(name) !== undefined).at(-1)?.name;
    const bytes = newest === undefined ? undefined : await readIfThere(this.store, newest);
    if (newest === undefined || bytes === undefined) return undefined;
    return openDocument(newest, bytes, 'catena-owner', ownerDocument).document;
  }

  /** Makes an installation the owner; whoever was it before may not sweep or prune any more. */
  async takeOwnership(installation: string): Promise<OwnerDocument> {
    for (;;) {
      const current = await this.owner();
      if (current?.installation === installation) return current;
      const now = this.options.now ?? systemClock;
      const document: OwnerDocument = {
        format: 'catena-owner',
        version: 1,
        number: (current?.number ?? 0) + 1,
        installation,
        since: now().toISOString(),
      };
      const name = `${OWNER_FOLDER}${paddedNumber(document.number)}.json`;
      if (await this.store.putIfAbsent(name, sealDocument(document))) return document;
    }
  }

  /**
   * Deletes condemned backups of a collection. Needs no key.
   * @throws NotOwnerError, UnreadableManifestError
   */
  async prune(collection: string, options: PruneOptions): Promise<PruneReport> {
    await this.assertOwnedBy(options.installation);
    const { context } = this.contextOf(collection, new CollectionLayout(collection));
    return pruneCollection(context, options);
  }

  /**
   * Removes what attempts of runs that are over have left. Needs no key.
   * @throws NotOwnerError
   */
  async sweep(options: SweepOptions): Promise<SweepReport> {
    await this.assertOwnedBy(options.installation);
    const contexts = (await this.collections()).map(
      (id) => this.contextOf(id, new CollectionLayout(id)).context,
    );
    const assertHeld = async () => {
      await options.assertHeld?.();
      await this.assertOwnedBy(options.installation);
    };
    return sweepRepository(this.store, contexts, { ...options, assertHeld });
  }

  private async assertOwnedBy(installation: string): Promise<void> {
    const owner = (await this.owner())?.installation;
    if (owner !== installation) throw new NotOwnerError(this.store.location, installation, owner);
  }

  close(): Promise<void> {
    return this.store.close();
  }
}

async function readRepositoryDocument(store: ObjectStore): Promise<RepositoryDocument | undefined> {
  const bytes = await readIfThere(store, REPOSITORY_DOCUMENT);
  if (bytes === undefined) return undefined;
  return openDocument(REPOSITORY_DOCUMENT, bytes, 'catena-repository', repositoryDocument).document;
}

/** A store that was opened for nothing is closed again. */
async function withStore(
  location: string | ObjectStore,
  use: (store: ObjectStore) => Promise<Repository>,
): Promise<Repository> {
  if (typeof location !== 'string') return use(location);
  const store = openStore(location);
  try {
    return await use(store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Opens the repository at a path, a URL or in a store.
 * @throws NotARepositoryError, NewerFormatError, UnsupportedStoreError, StoreError
 */
export async function openRepository(
  location: string | ObjectStore,
  options: OpenOptions = {},
): Promise<Repository> {
  return withStore(location, async (store) => {
    const document = await readRepositoryDocument(store);
    if (document === undefined) throw new NotARepositoryError(store.location);
    return new Repository(store, document, options);
  });
}

/**
 * Makes a repository where there is none.
 * @throws RepositoryExistsError
 */
export async function initialiseRepository(
  location: string | ObjectStore,
  options: InitialiseOptions,
): Promise<Repository> {
  return withStore(location, (store) => initialise(store, options));
}

async function initialise(store: ObjectStore, options: InitialiseOptions): Promise<Repository> {
  const now = options.now ?? systemClock;
  const document: RepositoryDocument = {
    format: 'catena-repository',
    version: 1,
    features: [],
    id: randomUUID(),
    createdAt: now().toISOString(),
    encryption: options.encryption ?? ((options.keys ?? []).length > 0 ? 'aes-256-gcm' : 'none'),
  };
  const created = await store.putIfAbsent(REPOSITORY_DOCUMENT, sealDocument(document));
  if (!created)
    throw new RepositoryExistsError(store.location, (await readRepositoryDocument(store))?.id ?? '?');
  const repository = new Repository(store, document, options);
  await repository.takeOwnership(options.installation);
  return repository;
}
